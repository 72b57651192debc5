// For a test: a suite that starts both servers and measures for longer than anybody waits, until it is told to end.
import { benchOptions } from '../harness/options.ts'
import { uniform } from '../harness/draws.ts'
import { runSuites } from '../harness/run-suites.ts'
import { startPostgres } from './postgres-server.ts'
import { startRedis } from './redis-server.ts'

const endless = 3_600

await runSuites(
  [
    {
      name: 'interrupted',
      measures: '',
      leavesOut: '',
      async run(bench) {
        const { server: redis, port } = await startRedis(await bench.folder())
        bench.keep(redis)
        const { server: postgres } = await startPostgres(await bench.folder())
        bench.keep(postgres)
        await Promise.all([redis.answering(), postgres.answering()])
        await using bank = await bench.start('redis-bank', { accounts: 1_000, port, database: 0, connections: 1 })
        const measuring = bank.subject.transfers(uniform, 1, endless)
        bench.say('measuring')
        await measuring
        return { rows: [], targets: [] }
      },
    },
  ],
  benchOptions(process.argv.slice(2)),
)
