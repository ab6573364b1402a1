/** The profiles that ship, of all targets. */
import type { Profile } from '../../passes/profile.ts'
import { cpu } from './wasm/profile.ts'
import { hardware, portable, software } from './wgsl/profiles.ts'

/**
 * The profiles that ship, by name.
 * @example
 * Object.keys(T.profiles) // => ['portable', 'software', 'hardware', 'cpu']
 */
export const profiles: Readonly<Record<'portable' | 'software' | 'hardware' | 'cpu', Profile>> = {
  portable,
  software,
  hardware,
  cpu,
}
