/** The choice of the workgroup size. */
import type { Profile } from '../../passes/profile.ts'

/** Starts at 64 and is halved, down to 8, while `threads` invocations would make fewer than eight workgroups. */
export const workgroupSizeFor = (threads: number, profile: Profile): number => {
  let size = Math.min(64, profile.workgroupThreads)
  while (size > 8 && threads / size < 8) size /= 2
  return size
}
