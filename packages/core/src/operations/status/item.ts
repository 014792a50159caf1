/** What the items of `status` are, and the words that several of them share. */
import { count } from '../../primitives/count.js';

/** One thing that `status` has to say. */
export interface StatusItem {
  /** `!` needs somebody; `-` is worth knowing. */
  readonly mark: '!' | '-';
  readonly text: string;
  /** More about it, line by line. */
  readonly details?: readonly string[];
  /** The one line to type, where there is one. */
  readonly next?: string;
  /** True for a risk that is somebody else's to mend: a person who looks at what waits is not shown it. */
  readonly aside?: true;
  /** True when it waits for the person who asks. */
  readonly mine: boolean;
}

const DAY = 86_400;

/** `1 day`, `59 days`: begun ones count. */
export function days(seconds: number): string {
  return count(Math.ceil(seconds / DAY), 'day');
}
