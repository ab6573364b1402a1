/**
 * Compiles kernel expressions to closures, one per lane. A `select` evaluates only the selected arm, so a masked load
 * may be out of bounds.
 */
import { invariant } from '../../../src/lang/errors.ts'
import type { KExpr } from '../kernel.ts'
import { castValue, roundTo, wordBits, wordValue } from '../scalar-value.ts'
import { laneTest } from './native-meaning.ts'
import { binaryFunction, threefryWord, unaryFunction } from './scalar-meaning.ts'
import { arrayOf, cell, type Lane, memoryOf, type Scope, slotOf } from './scope.ts'
import { calledFunction } from './user-reference.ts'

/** One closure per lane. */
export const lanes = (c: Scope, e: KExpr): readonly Lane[] => {
  const { scalar, width } = e.type
  const each = (f: (lane: number) => Lane): readonly Lane[] => Array.from({ length: width }, (_, i) => f(i))
  switch (e.kind) {
    case 'lit': {
      const x = roundTo(scalar, e.value)
      return [() => x]
    }
    case 'ref': {
      const slot = slotOf(c, e.name)
      return each((i) => (v) => v.slots[slot + i]!)
    }
    case 'builtin':
      return e.name === 'gridIndex' ? [() => c.group.grid] : [(v) => v.local]
    case 'word':
      return invariant(false, `word ${e.index} has no value: withWords gives it one`) as never
    case 'unary': {
      const f = unaryFunction(e.op, e.a.type.scalar)
      const a = lanes(c, e.a)
      return each((i) => {
        const x = a[i]!
        return (v) => f(x(v))
      })
    }
    case 'binary': {
      const f = binaryFunction(e.op, e.a.type.scalar)
      const a = lanes(c, e.a)
      const b = lanes(c, e.b)
      return each((i) => {
        const x = a[i]!
        const y = b[i]!
        return (v) => f(x(v), y(v))
      })
    }
    case 'select': {
      const [cond, a, b] = [lanes(c, e.cond), lanes(c, e.a), lanes(c, e.b)]
      return each((i) => {
        const [p, x, y] = [cond[i]!, a[i]!, b[i]!]
        return (v) => (p(v) !== 0 ? x(v) : y(v))
      })
    }
    case 'cast': {
      const from = e.a.type.scalar
      return lanes(c, e.a).map((x) => (v) => castValue(from, scalar, x(v)))
    }
    case 'bitcast': {
      const from = e.a.type.scalar
      return lanes(c, e.a).map((x) => (v) => wordValue(scalar, wordBits(from, x(v))))
    }
    case 'splat': {
      const x = lanes(c, e.a)[0]!
      return each(() => x)
    }
    case 'vec':
      return e.items.map((x) => lanes(c, x)[0]!)
    case 'lane':
      return [lanes(c, e.a)[e.lane]!]
    case 'load': {
      const m = memoryOf(c, e.binding)
      const index = lanes(c, e.index)[0]!
      if (!e.component) return each((i) => (v) => m.get(index(v), i))
      const component = lanes(c, e.component)[0]!
      return [(v) => m.get(index(v), component(v))]
    }
    case 'read': {
      const array = arrayOf(c, e.array)
      const index = lanes(c, e.index)[0]!
      return each((i) => (v) => {
        const cells = array(v)
        return cells[cell(c, e.array, cells, index(v), width) + i]!
      })
    }
    case 'call': {
      const f = calledFunction(e.callee)
      const args = e.args.map((x) => lanes(c, x)[0]!)
      return [(v) => f(args.map((x) => x(v)))]
    }
    case 'threefry': {
      const [k0, k1, c0, c1] = e.args.map((x) => lanes(c, x))
      return each((i) => (v) => threefryWord(e.word, k0![i]!(v), k1![i]!(v), c0![i]!(v), c1![i]!(v)))
    }
    case 'native': {
      const [a, b] = e.args.map((x) => lanes(c, x))
      if (e.op === 'any' || e.op === 'all') {
        const f = laneTest[e.op]
        return [(v) => f(a!.map((x) => x(v)))]
      }
      const f = c.native[e.op]
      if (!b) return a!.map((x) => (v) => f(x(v), 0))
      return each((i) => {
        const [x, y] = [a![i]!, b[i]!]
        return (v) => f(x(v), y(v))
      })
    }
    case 'apply': {
      const f = c.functionOf(e.callee)
      const args = e.args.flatMap((x) => lanes(c, x))
      return each((i) => (v) => f(args.map((x) => x(v)))[e.result]![i]!)
    }
  }
}
