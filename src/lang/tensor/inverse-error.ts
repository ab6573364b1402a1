/** The inverse error function. */
import { build, typeOf } from '../build.ts'
import type { Node } from '../ir.ts'
import type { FloatElementary } from '../types/broadcast.ts'
import { binaryNode, floatNode, likeNode, selectNode } from './arithmetic.ts'
import { single } from './dual.ts'
import { isIll } from './operand.ts'

// M. Giles, "Approximating the erfinv function" (GPU Computing Gems 2, 2011), single precision: polynomials in
// w = -log(1 - x²), central for w < 5 and in √w beyond; error below 4e-7 relative.
const central: readonly number[] = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
]
const tail: readonly number[] = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
]

/** The inverse of erf, to single precision; ±Infinity at ±1, NaN beyond. */
export const erfinvNode = (x: Node): Node => {
  const type = typeOf(x)
  const c = (v: number): Node => likeNode(v, type)
  const w = build.neg([build.log1p([build.neg([binaryNode('mul', x, x)], {})], {})], {})
  const isCentral = binaryNode('lt', w, c(5))
  const shifted = selectNode(
    isCentral,
    binaryNode('sub', w, c(2.5)),
    binaryNode('sub', build.sqrt([selectNode(isCentral, c(5), w)], {}), c(3)),
  )
  const coefficient = (i: number): Node => selectNode(isCentral, c(central[i]!), c(tail[i]!))
  let p = coefficient(0)
  for (let i = 1; i < central.length; i++) p = binaryNode('add', coefficient(i), binaryNode('mul', p, shifted))
  const atEnd = binaryNode('eq', build.abs([x], {}), c(1))
  return binaryNode('mul', x, selectNode(atEnd, c(Number.POSITIVE_INFINITY), p))
}

/**
 * The inverse of `erf`. Same shape, floating point (integers and bool become f32); ±Infinity at ±1, NaN beyond. Giles's
 * single-precision polynomials and one Newton step, which gives the derivatives full precision too.
 * @example
 * T.reference(T.erfinv(T.tensor([0, 0.5, 1]))).data // => [0, 0.476936, Infinity]
 */
export const erfinv: FloatElementary = single('T.erfinv', (given, { dtype }) => {
  const x = floatNode(given, dtype)
  if (isIll(x)) return x
  const type = typeOf(x)
  const y = erfinvNode(x)
  const usable = binaryNode('lt', build.abs([x], {}), likeNode(1, type))
  const safe = selectNode(usable, y, likeNode(0, type))
  const off = binaryNode('sub', build.erf([safe], {}), selectNode(usable, x, likeNode(0, type)))
  const slope = build.exp([binaryNode('mul', safe, safe)], {})
  const step = binaryNode('mul', binaryNode('mul', off, slope), likeNode(Math.sqrt(Math.PI) / 2, type))
  return selectNode(usable, binaryNode('sub', safe, step), y)
})
