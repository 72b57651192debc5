export type {
  Clock,
  Disk,
  File,
  FolderLock,
  Network,
  Random,
  Runtime,
  Thread,
  ThreadPort,
  Timer,
  Timers,
} from './ports.ts'
