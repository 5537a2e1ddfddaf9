/** A cell's text as it is compared: trimmed and NFC-normalised. Names that cells may hold are compared like them. */
export function normaliseCell(text: string): string {
  return text.trim().normalize("NFC");
}

/**
 * Writes a cell: quoted where RFC 4180 wants it, where its line would be taken for a comment, and where trimming
 * would lose something of it. https://www.rfc-editor.org/rfc/rfc4180
 */
export function formatCell(text: string): string {
  return /[",\r\n]|^#|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
