/** The package brings no types of its own. https://github.com/bcoe/v8-coverage */
declare module "@bcoe/v8-coverage" {
  export interface ScriptCov {
    readonly scriptId: string;
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly isBlockCoverage: boolean;
      readonly ranges: readonly {
        readonly startOffset: number;
        readonly endOffset: number;
        readonly count: number;
      }[];
    }[];
  }

  export interface ProcessCov {
    readonly result: readonly ScriptCov[];
  }

  export function mergeProcessCovs(reports: readonly ProcessCov[]): ProcessCov;
}
