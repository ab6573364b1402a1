/** What ends a command with a message instead of a stack: the user's to mend, not ours. */
export class Failure extends Error {
  /** 1 where the command failed, 2 where it was not understood. */
  readonly code: 1 | 2
  constructor(message: string, code: 1 | 2 = 1) {
    super(message)
    this.name = 'Failure'
    this.code = code
  }
}
