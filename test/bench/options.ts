/** The arguments of `npm run bench`. */
import { Command, InvalidArgumentError, Option } from 'commander'

export interface BenchOptions {
  readonly device: 'software' | 'hardware' | 'cpu'
  readonly json: boolean
  /** The rows asked for; all when it is undefined. */
  readonly rows?: readonly string[]
  readonly compileOnly: boolean
  readonly peersOnly: boolean
  readonly picture?: string
  /** What is planned for in the table of compile times. */
  readonly profile: 'portable' | 'software' | 'hardware' | 'cpu'
  /** Rounds of warm calls. */
  readonly runs: number
  /** Fresh processes for every first call and every compilation. */
  readonly starts: number
}

const count = (text: string): number => {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('a whole number from 1 on')
  return n
}

/** The options of a command line (without the program's name), checked against the rows that there are. Throws one line. */
export const parseOptions = (args: readonly string[], known: readonly string[]): BenchOptions => {
  const rows = (text: string): readonly string[] => {
    const names = text.split(',')
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) throw new InvalidArgumentError(`there is no '${unknown}' among ${known.join(', ')}`)
    return names
  }
  const command = new Command('bench')
    .description('time our programs beside jax-js and TensorFlow.js on one adapter, and what compiling takes')
    .addOption(
      new Option('--device <kind>', 'what all libraries compute on')
        .choices(['software', 'hardware', 'cpu'])
        .default('software'),
    )
    .option('--json', 'one JSON document on stdout instead of tables', false)
    .addOption(new Option('--rows <names>', 'programs, separated by commas').argParser(rows))
    .addOption(new Option('--compile-only', 'the table of compile times alone').default(false).conflicts('peersOnly'))
    .addOption(new Option('--peers-only', 'the table beside the peers alone').default(false))
    .addOption(
      new Option('--profile <name>', 'what is compiled for')
        .choices(['portable', 'software', 'hardware', 'cpu'])
        .default('portable'),
    )
    .addOption(new Option('--runs <n>', 'rounds of warm calls').argParser(count).default(15))
    .addOption(
      new Option('--starts <n>', 'fresh processes for a first call or a compilation').argParser(count).default(3),
    )
    .option('--picture <file>', 'the times beside the peers as SVG')
    .exitOverride()
  return command.parse(args, { from: 'user' }).opts()
}
