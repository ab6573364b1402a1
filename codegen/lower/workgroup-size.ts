/** How many invocations make a workgroup. */
import type { Profile } from '../../passes/profile.ts'

/** Halved as long as `threads` invocations would make less than eight workgroups, but to no less than eight. */
export const workgroupSizeFor = (threads: number, profile: Profile): number => {
  let size = Math.min(64, profile.workgroupThreads)
  while (size > 8 && threads / size < 8) size /= 2
  return size
}
