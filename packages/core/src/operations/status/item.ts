/** One thing that `status` has to say. */
export interface StatusItem {
  /** `!` needs somebody; `-` is worth knowing. */
  readonly mark: '!' | '-';
  readonly text: string;
  /** More about it, line by line. */
  readonly details?: readonly string[];
  /** The one line to type, where there is one. */
  readonly next?: string;
  /** True when it waits for the person who asks. */
  readonly mine: boolean;
}
