/** WGSL type names. */
import type { KType } from '../../kernel/kernel.ts'

export const typeName = (t: KType): string => (t.width === 1 ? t.scalar : `vec${t.width}<${t.scalar}>`)
