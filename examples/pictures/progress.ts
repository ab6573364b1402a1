/** A progress bar on stderr, so that stdout stays clean; nothing at all where stderr is no terminal. */
import { Presets, SingleBar } from 'cli-progress'

/** Shows how much of a whole is done. */
export interface Progress {
  readonly show: (done: number, total: number, note: string) => void
  /** Takes the bar away. */
  readonly done: () => void
}

/** A bar that appears when there is something to show. */
export const progressBar = (name: string): Progress => {
  const format = `${name} {bar} {percentage}% | {value}/{total} | {eta_formatted} left | {note}`
  const options = { format, stream: process.stderr, clearOnComplete: true, hideCursor: true }
  const bar = new SingleBar(options, Presets.shades_grey)
  return {
    show: (done, total, note) => {
      if (bar.isActive) bar.update(done, { note })
      else bar.start(total, done, { note })
    },
    done: () => bar.stop(),
  }
}
