/** Saying on stderr what does not keep a program from running, though it is hardly meant. */
import { showError, type UsageError } from '../lang/errors.ts'
import { say } from '../runtime/report-observations.ts'

const said = new Set<string>()

/** Prints each warning once, however often its line is compiled. */
export const warn = (warnings: readonly UsageError[]): void => {
  for (const text of warnings.map(showError)) {
    if (said.has(text)) continue
    said.add(text)
    say(`tensorloom: warning: ${text}`)
  }
}
