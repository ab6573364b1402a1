/** What ends a command with exit code 1 and a message instead of a stack: the user's to mend, not ours. */
export class Failure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Failure'
  }
}
