/** A gRPC client of a few lines over HTTP/2: what a plugin answers, seen from outside. */
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface ClientTls {
  /** PEM: the server that is believed. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface GrpcAnswer {
  /** 0 is OK, 12 is UNIMPLEMENTED. */
  readonly status: number;
  readonly message: Buffer;
}

/** One unary call over a connection of its own to a Unix socket. Rejects where no connection comes about. */
export async function grpcCall(path: string, method: string, message: Uint8Array, tls?: ClientTls): Promise<GrpcAnswer> {
  const socket = await connected(path, tls);
  const session = connectHttp2(`http${tls ? 's' : ''}://localhost`, { createConnection: () => socket });
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' });
      const chunks: Buffer[] = [];
      let status = -1;
      const note = (headers: Record<string, unknown>): void => {
        if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status']);
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('close', () => {
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) reject(new Error(`the stream was reset: ${stream.rstCode}`));
        else resolve({ status, message: Buffer.concat(chunks).subarray(5) });
      });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([head, message]));
    });
  } finally {
    session.destroy();
  }
}

function connected(path: string, tls: ClientTls | undefined): Promise<Socket | TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ ...tls, path, servername: 'localhost', ALPNProtocols: ['h2'] }) : connectSocket(path);
    socket.on('error', reject);
    socket.on(tls ? 'secureConnect' : 'connect', () => resolve(socket));
  });
}
