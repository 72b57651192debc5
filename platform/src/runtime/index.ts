export type {
  Clock,
  Disk,
  File,
  FolderLock,
  Log,
  LogFields,
  LogLevel,
  Network,
  Random,
  Runtime,
  Timer,
  Timers,
} from './ports.ts'
