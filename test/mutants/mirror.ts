/** Which tests stand opposite a source file: `passes/loop/ir/x.ts` has `test/passes/loop/ir/x.test.ts`, and `x-….test.ts`. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The names among `names` of tests of the source file called `source`. */
export const testsNamedAfter = (source: string, names: readonly string[]): readonly string[] => {
  const subject = basename(source, '.ts')
  return names.filter((name) => name.endsWith('.test.ts') && new RegExp(`^${subject}[.-]`).test(name)).sort()
}

/** The tests of a source file, both as paths from `root`; none where no name says so. */
export const mirroredTests = (root: string, source: string): readonly string[] => {
  const folder = join('test', dirname(source).replace(/^src(\/|$)/, ''))
  if (!existsSync(join(root, folder))) return []
  return testsNamedAfter(source, readdirSync(join(root, folder))).map((name) => join(folder, name))
}
