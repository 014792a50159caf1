/** One line of a difference in words. */
export interface WordsLine {
  /** What comes, what goes, what is otherwise, and what cannot be undone. */
  readonly mark: '+' | '-' | '~' | '!';
  readonly text: string;
}
