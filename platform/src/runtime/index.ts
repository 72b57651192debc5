export type { Clock, Disk, File, FolderLock, Network, Random, Runtime, Timer, Timers } from './ports.ts'
