/** What is said about the mutants of a run: every one that no test noticed, and the part that was noticed. */

interface Place {
  readonly line: number
  readonly column: number
}

/** One mutant after its tests ran; lines and columns count from 1. */
export interface Mutant {
  readonly fileName: string
  readonly location: { readonly start: Place; readonly end: Place }
  readonly replacement?: string | undefined
  readonly status: string
}

/** Noticed by a failing test or by never ending. */
const noticed = ['Killed', 'Timeout']
/** The tests passed, or none of them runs the code. Others could not be run at all. */
const missed = ['Survived', 'NoCoverage']

/** The text between two places. */
const between = (text: string, { start, end }: Mutant['location']): string => {
  const lines = text.split('\n').slice(start.line - 1, end.line)
  const last = lines.length - 1
  return lines
    .map((line, i) => line.slice(i === 0 ? start.column - 1 : 0, i === last ? end.column - 1 : undefined))
    .join('\n')
}

const oneLine = (text: string): string => {
  const short = text.replace(/\s+/g, ' ').trim()
  return short.length > 100 ? `${short.slice(0, 99)}…` : short
}

export interface Report {
  readonly lines: readonly string[]
  readonly survivors: number
}

/** A line a mutant that was missed (`textOf` gives the text of its file), and the score. */
export const reportOf = (mutants: readonly Mutant[], textOf: (file: string) => string): Report => {
  const count = (statuses: readonly string[]): number => mutants.filter((m) => statuses.includes(m.status)).length
  const left = mutants
    .filter((m) => missed.includes(m.status))
    .sort((a, b) => a.fileName.localeCompare(b.fileName) || a.location.start.line - b.location.start.line)
  const [killed, survivors] = [count(noticed), left.length]
  const score = killed + survivors === 0 ? 100 : (100 * killed) / (killed + survivors)
  return {
    survivors,
    lines: [
      ...left.map((m) => {
        const original = oneLine(between(textOf(m.fileName), m.location))
        const note = m.status === 'NoCoverage' ? ' (no test runs it)' : ''
        return `${m.fileName}:${m.location.start.line}: ${original} -> ${oneLine(m.replacement ?? '')}${note}`
      }),
      `${killed} of ${killed + survivors} mutants noticed: ${score.toFixed(1)} %`,
    ],
  }
}
