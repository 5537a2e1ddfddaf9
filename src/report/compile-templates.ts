import Handlebars from "handlebars";

/** Fills a compiled template with a view. */
type Template = (view: object) => string;

/**
 * Makes the compiler for a set of templates, and registers the parts that they share. Texts are made harmless in the
 * views, so templates escape nothing again; a name that a view does not have is an error.
 */
export function createCompiler<Name extends string>(
  readTemplate: (name: Name) => string,
  partNames: readonly NoInfer<Name>[],
): (name: Name) => Template {
  const handlebars = Handlebars.create();
  const compile = (name: Name) =>
    handlebars.compile<object>(readTemplate(name), { noEscape: true, strict: true, knownHelpersOnly: true });
  for (const name of partNames) handlebars.registerPartial(name, compile(name));
  return compile;
}
