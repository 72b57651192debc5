import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type as osType } from 'node:os'
import { resolve } from 'node:path'
import { childFlags } from './bench.ts'

/** What has to be known of a machine and a checkout to compare two runs. */
export interface Environment {
  readonly date: string
  /** Commit of the checkout, with `+` where files differ from it. */
  readonly commit: string
  readonly node: string
  readonly flags: readonly string[]
  readonly cpu: string
  readonly cores: number
  readonly memoryGB: number
  readonly kernel: string
  /** Of the folder in which the measured files lie. */
  readonly fileSystem: string
  /** One-minute load average when the run began: above the number of cores, somebody else was measured too. */
  readonly load: number
}

/** The environment of this run; `folder` is where the measured files lie. */
export function environmentOf(folder: string): Environment {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    flags: childFlags,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    kernel: `${osType()} ${release()}`,
    fileSystem: fileSystemOf(resolve(folder)),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

/** File systems that keep nothing: a figure at `disk` on one of them says nothing. */
export function keepsNothing(fileSystem: string): boolean {
  return fileSystem === 'tmpfs' || fileSystem === 'ramfs'
}

function commit(): string {
  try {
    const git = (...given: readonly string[]): string => execFileSync('git', given, { encoding: 'utf8' }).trim()
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--', 'platform', 'benchmarks') === '' ? '' : '+')
    )
  } catch {
    return 'unknown'
  }
}

/** The type of the mount with the longest path that holds the folder; `unknown` where there is no list of mounts. */
function fileSystemOf(folder: string): string {
  let best = { path: '', type: 'unknown' }
  for (const line of mounts().split('\n')) {
    const [, path, type] = line.split(' ')
    if (path === undefined || type === undefined || path.length < best.path.length) continue
    if (path === '/' || folder === path || folder.startsWith(`${path}/`)) best = { path, type }
  }
  return best.type
}

function mounts(): string {
  try {
    return readFileSync('/proc/mounts', 'utf8')
  } catch {
    return ''
  }
}
