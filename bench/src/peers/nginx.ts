/**
 * nginx as the peer for moving bytes: started on a free port from a configuration in a temporary folder, as the user
 * that runs the benchmark. It serves and takes files without asking anybody, and syncs none of them to disk.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort, temporaryFolder, toolPath, until } from '@rowlock/test-harness';
import { HttpSocket } from '../load/http-socket.ts';
import { keep } from '../measure/kept-processes.ts';
import { stopChild } from '../service/service-process.ts';

export interface Nginx {
  readonly port: number;
  readonly pid: number;
  /** Folder of the files. */
  readonly root: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** Workers of the peer: as many as this machine has processors in our measurements. */
const workers = 2;

function configuration(folder: string, port: number): string {
  const isRoot = process.getuid?.() === 0;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/tmp/${name};`,
  );
  return `
    daemon off;
    ${isRoot ? `user ${userInfo().username};` : ''}
    worker_processes ${workers};
    pid ${folder}/nginx.pid;
    error_log stderr error;
    events { worker_connections 1024; }
    http {
      access_log off;
      log_not_found off;
      sendfile on;
      tcp_nopush on;
      keepalive_requests 1000000000;
      keepalive_timeout 1h;
      client_max_body_size 0;
      client_body_buffer_size 16k;
      ${temporary.join('\n      ')}
      server {
        listen 127.0.0.1:${port};
        root ${folder}/files;
        location / {
          dav_methods PUT;
          create_full_put_path on;
        }
      }
    }
  `;
}

/**
 * Starts nginx.
 *
 * @throws Error where it is not installed
 */
export async function startNginx(): Promise<Nginx> {
  const program = toolPath('nginx');
  const folder = temporaryFolder({ mode: 0o711 });
  const port = await freePort();
  for (const name of ['files', 'tmp']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port));
  const child = keep(
    spawn(program, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`nginx has ended with ${child.exitCode}`);
      return await answers(port);
    },
    { timeoutMs: 10_000, what: 'nginx answers' },
  );
  return {
    port,
    pid: child.pid ?? 0,
    root: join(folder, 'files'),
    version: versionOf(program),
    stop: async () => await stopChild(child),
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = new HttpSocket(port);
  try {
    return (await socket.send('GET /none HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')).status === 404;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

function versionOf(program: string): string {
  return /nginx\/(\S+)/.exec(spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr)?.[1] ?? 'unknown';
}
