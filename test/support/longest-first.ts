import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Minutes of processes each, in files of no great size, by which Vitest goes. Begun last, one of them would run on alone. */
const LONGEST = [
  'cli/crash', 'cli/handover-crash', 'interop/ansible', 'interop/git-store', 'cli/handover', 'interop/git-vault', 'interop/terraform-provider',
  'attacks/push-rights', 'interop/handover-crash', 'interop/ansible-machines', 'cli/screen',
];
const rank = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return place < 0 ? LONGEST.length : place;
};

/** The order of test files: the longest ones, then as Vitest has it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
