/**
 * Kernel IR → the text of a WGSL module. The text is a pure function of the kernel (pipelines are cached by it),
 * contains no constant expression that a compiler may reject (non-finite, overflow, division by zero) and only the
 * functions it uses.
 */
import { ceilDiv } from '../../../src/lang/dim.ts'
import { invariant } from '../../../src/lang/errors.ts'
import { visible } from '../../../src/lang/visible-text.ts'
import { constantOf } from '../../kernel/build-kernel.ts'
import { kernelFunction } from '../../kernel/functions/table.ts'
import type { KExpr, Kernel, KStmt, KType, Scalar } from '../../kernel/kernel.ts'
import { eachStatement } from '../../kernel/parts.ts'
import { fieldOf } from './function-expression.ts'
import { type FunctionTexts, makeFunctionTexts } from './function-texts.ts'
import { bitsLiteral, literal } from './literal.ts'
import { opaqueFloat, opaqueValue } from './opaque.ts'
import { barrierMark, printStatements, type StatementPrinter } from './print-statements.ts'
import { type Site, spell, spellCast } from './scalar-spelling.ts'
import { typeName } from './type-name.ts'
import { makeUserFunctions, printText, type UserFunctions } from './user-text.ts'

interface Text {
  readonly text: string
  /** Whether it is a constant expression, which compilers evaluate. */
  readonly constant: boolean
}

interface Context {
  readonly functions: FunctionTexts
  readonly calls: UserFunctions
  /** `let` names bound to constants, through which some compilers propagate them. */
  readonly constants: Set<string>
  readonly seen: { half: boolean; grid: boolean; local: boolean }
  readonly stored: ReadonlySet<string>
  /** Whether a binding is both read and written, so that barriers must order storage accesses too. */
  storageBarrier: boolean
}

const constant = (text: string): Text => ({ text, constant: true })
const runtime = (text: string): Text => ({ text, constant: false })

/** `t` as a value that is not a constant expression. */
const opaque = (c: Context, t: Text, type: KType): string =>
  t.constant ? `${c.functions.use(opaqueValue(type.scalar, type.width))}(${t.text})` : t.text

/** The operands' texts, the first one made opaque where all are constants. */
const operands = (c: Context, es: readonly KExpr[]): readonly string[] => {
  const texts = es.map((e) => expr(c, e))
  if (!texts.every((t) => t.constant)) return texts.map((t) => t.text)
  return texts.map((t, i) => (i === 0 ? opaque(c, t, es[0]!.type) : t.text))
}

const site = (c: Context, width: KType['width'], es: readonly KExpr[]): Site => ({
  width,
  functions: c.functions,
  keep: c.functions.keep,
  constant: (i) => (es[i] ? constantOf(es[i]) : undefined),
})

const litText = (c: Context, scalar: Scalar, value: number): Text => {
  const text = literal(scalar, value)
  const flushed = c.functions.keep && scalar === 'f32' && value !== 0 && Math.abs(value) < 2 ** -126
  if (text !== undefined && !flushed) return constant(text)
  invariant(scalar === 'f32' || scalar === 'f16', `no literal for ${value}`)
  return runtime(`${c.functions.use(opaqueFloat[scalar])}(${bitsLiteral(value)})`)
}

const expr = (c: Context, e: KExpr): Text => {
  if (e.type.scalar === 'f16') c.seen.half = true
  const { width } = e.type
  switch (e.kind) {
    case 'lit':
      return litText(c, e.type.scalar, e.value)
    case 'ref':
      return { text: e.name, constant: c.constants.has(e.name) }
    case 'builtin':
      c.seen[e.name === 'gridIndex' ? 'grid' : 'local'] = true
      return runtime(e.name)
    case 'word':
      return runtime(`word${e.index}`)
    case 'unary': {
      const [a] = operands(c, [e.a])
      return runtime(spell(e.op, site(c, width, [e.a]), e.a.type.scalar, e.type.scalar === 'bool', a!, ''))
    }
    case 'binary': {
      const [a, b] = operands(c, [e.a, e.b])
      const scalar = e.a.type.scalar
      return runtime(spell(e.op, site(c, width, [e.a, e.b]), scalar, e.type.scalar === 'bool', a!, b!))
    }
    case 'select': {
      const [b, a, cond] = operands(c, [e.b, e.a, e.cond])
      return runtime(`select(${b}, ${a}, ${cond})`)
    }
    case 'cast':
      return runtime(spellCast(site(c, width, [e.a]), e.a.type.scalar, e.type.scalar, operands(c, [e.a])[0]!))
    case 'bitcast':
      return runtime(`bitcast<${typeName(e.type)}>(${operands(c, [e.a])[0]})`)
    case 'splat': {
      const a = expr(c, e.a)
      return { text: `${typeName(e.type)}(${a.text})`, constant: a.constant }
    }
    case 'vec': {
      const items = e.items.map((x) => expr(c, x))
      return {
        text: `${typeName(e.type)}(${items.map((x) => x.text).join(', ')})`,
        constant: items.every((x) => x.constant),
      }
    }
    case 'lane': {
      const a = expr(c, e.a)
      return { text: `${a.text}.${'xyzw'[e.lane]}`, constant: a.constant }
    }
    case 'load':
      if (c.stored.has(e.binding)) c.storageBarrier = true
      if (e.component) {
        return runtime(`${e.binding}[${bare(expr(c, e.index).text)}][${bare(expr(c, e.component).text)}]`)
      }
      return runtime(`${e.binding}[${bare(expr(c, e.index).text)}]`)
    case 'read':
      return runtime(`${e.array}[${bare(expr(c, e.index).text)}]`)
    case 'call':
      return runtime(`${c.calls.use(e.callee)}(${e.args.map((x) => expr(c, x).text).join(', ')})`)
    case 'threefry': {
      const args = e.args.map((x) => expr(c, x).text)
      const f = kernelFunction('threefry', width)
      return runtime(`${c.functions.use(f)}(${args.join(', ')}).${fieldOf(f, e.word)}`)
    }
    case 'apply': {
      const called = `${c.functions.use(e.callee)}(${e.args.map((x) => expr(c, x).text).join(', ')})`
      return runtime(e.callee.results.length === 1 ? called : `${called}.${fieldOf(e.callee, e.result)}`)
    }
    case 'native':
      return invariant(false, `native ${e.op} outside of a function`) as never
  }
}

/** An expression that stands alone, without the parentheses around it. */
const bare = (text: string): string => {
  if (!text.startsWith('(')) return text
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth += 1
    else if (text[i] === ')') depth -= 1
    if (depth === 0) return i === text.length - 1 ? text.slice(1, -1) : text
  }
  return text
}

/** Prints what a kernel's statements are made of. */
const statementPrinter = (c: Context): StatementPrinter => ({
  value: (e, name) => {
    const t = expr(c, e)
    if (t.constant && name !== undefined) c.constants.add(name)
    return bare(t.text)
  },
  preceding: () => [],
  nested: (inner) => inner(),
})

const storedBindings = (body: readonly KStmt[]): ReadonlySet<string> => {
  const found = new Set<string>()
  eachStatement(body, (s) => {
    if (s.kind === 'store') found.add(s.binding)
  })
  return found
}

/** Options of printing. */
export interface PrintOptions {
  /** Preserve subnormal f32 numbers, also on devices that flush them to zero. Default false. */
  readonly keepSubnormals?: boolean
}

const printed = { device: new WeakMap<Kernel, string>(), keep: new WeakMap<Kernel, string>() }

/**
 * The WGSL module of a kernel: entry point `main`, bindings in order at group 0. The grid may be folded into x and y:
 * `gridIndex` counts x first.
 */
export const printKernel = (k: Kernel, { keepSubnormals = false }: PrintOptions = {}): string => {
  const known = printed[keepSubnormals ? 'keep' : 'device']
  const text = known.get(k) ?? print(k, keepSubnormals)
  known.set(k, text)
  return text
}

/** The text of a kernel, which `printKernel` remembers. */
const print = (k: Kernel, keepSubnormals: boolean): string => {
  const c: Context = {
    functions: makeFunctionTexts(keepSubnormals),
    calls: makeUserFunctions(),
    constants: new Set(),
    seen: { half: false, grid: false, local: false },
    stored: storedBindings(k.body),
    storageBarrier: false,
  }
  const body: string[] = []
  for (const a of k.arrays)
    if (a.space !== 'workgroup') body.push(`  var ${a.name}: array<${typeName(a.element)}, ${a.size}>;`)
  printStatements(statementPrinter(c), k.body, '  ', body)
  const user = k.text && printText(k.text)
  if (user) {
    body.push(...user.main)
    c.seen.grid = c.seen.local = true
  }
  const barrier = c.storageBarrier ? 'storageBarrier(); workgroupBarrier();' : 'workgroupBarrier();'
  const half =
    c.seen.half || c.calls.half() || user?.half || [...k.bindings, ...k.arrays].some((b) => b.element.scalar === 'f16')
  const parameters = [
    ...(c.seen.grid
      ? ['@builtin(workgroup_id) workgroup: vec3<u32>', '@builtin(num_workgroups) workgroups: vec3<u32>']
      : []),
    ...(c.seen.local ? ['@builtin(local_invocation_index) localIndex: u32'] : []),
  ]
  const declarations = [
    ...k.bindings.map(
      (b, i) => `@group(0) @binding(${i}) var<storage, ${b.access}> ${b.name}: array<${typeName(b.element)}>;`,
    ),
    // After the storage buffers: one of the uniform buffers, which have a limit of their own.
    ...(k.words
      ? [`@group(0) @binding(${k.bindings.length}) var<uniform> words: array<vec4<u32>, ${ceilDiv(k.words, 4)}>;`]
      : []),
    ...k.arrays
      .filter((a) => a.space === 'workgroup')
      .map((a) => `var<workgroup> ${a.name}: array<${typeName(a.element)}, ${a.size}>;`),
  ]
  const functions = c.functions.text()
  return [
    `// ${visible(k.name)}`,
    ...(half ? ['enable f16;'] : []),
    ...declarations,
    ...(functions ? ['', functions.trimEnd()] : []),
    '',
    `@compute @workgroup_size(${k.workgroupSize})`,
    `fn main(${parameters.join(', ')}) {`,
    ...(c.seen.grid ? ['  let gridIndex = workgroup.x + workgroup.y * workgroups.x;'] : []),
    ...Array.from({ length: k.words ?? 0 }, (_, i) => `  let word${i} = words[${i >> 2}u].${'xyzw'[i & 3]};`),
    ...body.map((line) => line.replace(barrierMark, barrier)),
    '}',
    ...(user?.below ?? c.calls.text()),
    '',
  ].join('\n')
}
