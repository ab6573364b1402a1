/**
 * Users' WGSL in emitted modules: appended at the end, each operation's text under a marker with its name, so that
 * compiler messages can be attributed to it, and with a prefix on every name it declares.
 */
import { sizeOf } from '../../../src/lang/dim.ts'
import type { ParamsOf } from '../../../src/lang/ir.ts'
import { functionKey } from '../../../src/lang/user-ops.ts'
import { placedText } from '../../../src/lang/wgsl-text.ts'
import type { KernelText } from '../../kernel/kernel.ts'
import { textPrefix } from '../../kernel/reserved-names.ts'

/** The line above an op's text. */
export const userMark = (name: string): string => `// op ${name}`

/** Whether the text needs `enable f16`. */
const needsHalf = (text: string): boolean => /\bf16\b|\d(?:\.\d*)?h\b/.test(text)

/** The user-defined functions that a kernel calls, in the order of the first call. */
export interface UserFunctions {
  /** The function's name in this module, which is then emitted. */
  readonly use: (callee: ParamsOf['elementwise']) => string
  readonly text: () => readonly string[]
  readonly half: () => boolean
}

export const makeUserFunctions = (): UserFunctions => {
  const used = new Map<string, { readonly name: string; readonly prefix: string; readonly text: string }>()
  return {
    use: (callee) => {
      const { name, wgsl } = callee
      const key = functionKey(callee)
      const known = used.get(key)
      const prefix = known?.prefix ?? `u${used.size}_`
      if (!known) used.set(key, { name, prefix, text: placedText(wgsl, prefix) })
      return prefix + name
    },
    text: () => [...used.values()].flatMap(({ name, text }) => ['', userMark(name), text]),
    half: () => [...used.values()].some(({ text }) => needsHalf(text)),
  }
}

/** A user's kernel as the lines of `main` and those below it. */
export const printText = ({
  op,
  inputs,
  outputs,
}: KernelText): { readonly main: readonly string[]; readonly below: readonly string[]; readonly half: boolean } => {
  const tensors = [...op.takes, ...op.gives]
  const places = [...inputs, ...outputs]
  const names = new Map<string, string>()
  const constants: string[] = []
  tensors.forEach(({ name, shape }, i) => {
    names.set(name, places[i]!)
    const define = (what: string, text: string): void => {
      names.set(`${name}_${what}`, `${textPrefix}${name}_${what}`)
      constants.push(`const ${textPrefix}${name}_${what}${text};`)
    }
    define('size', `: u32 = ${sizeOf(shape)}u`)
    if (shape.length > 0) define('shape', ` = array<u32, ${shape.length}>(${shape.map((d) => `${d}u`).join(', ')})`)
  })
  const text = placedText(op.wgsl, textPrefix, names)
  return {
    main: [`  if gridIndex < ${op.workgroups}u {`, `    ${textPrefix}${op.name}(gridIndex, localIndex);`, '  }'],
    below: ['', ...constants, '', userMark(op.name), text],
    half: needsHalf(text),
  }
}
