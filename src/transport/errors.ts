/**
 * What goes wrong below TLS: names, connections, sockets. One code a cause, whichever runtime reports it.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, ThingwireError } from "../errors.ts";

/** All codes of errors of transports. */
export const transportErrors = {
  TRANSPORT_DNS: {
    meaning: "the host name was not found",
    blame: "network",
    retry: true,
    hint: "Check the spelling of the endpoint (AWS IoT console, Settings: PREFIX-ats.iot.REGION.amazonaws.com) and that the device has a working DNS server.",
    mbedtls: -0x0052,
    sdk: -23,
  },
  TRANSPORT_REFUSED: {
    meaning: "the connection was refused",
    blame: "network",
    retry: true,
    hint: "Nothing listens at that address and port: check the port (8883, or 443 with ALPN) and that the server is running.",
    mbedtls: -0x0044,
    sdk: -24,
  },
  TRANSPORT_UNREACHABLE: {
    meaning: "there is no way to the host",
    blame: "network",
    retry: true,
    hint: "The device is not on a network, or its network has no route there: check Wi-Fi, gateway and VPN.",
    mbedtls: -0x0044,
    sdk: -24,
  },
  TRANSPORT_TIMEOUT: {
    meaning: "the connection was not made in time",
    blame: "network",
    retry: true,
    hint: "A firewall may drop the packets: try port 443, which adds ALPN x-amzn-mqtt-ca, or allow 8883 to go out.",
    mbedtls: -0x0044,
    sdk: -24,
  },
  TRANSPORT_HANDSHAKE_TIMEOUT: {
    meaning: "the TLS handshake did not end in time",
    blame: "network",
    retry: true,
    hint: "The peer may not speak TLS at that port, or something on the way holds its packets back: check the port, and raise the handshake's time limit on a slow device.",
    mbedtls: -0x6800,
    sdk: -6,
  },
  TRANSPORT_RESET: {
    meaning: "the connection was cut",
    blame: "network",
    retry: true,
    hint: "The peer or something on the way dropped the connection. Where it happens at once and every time, the server refuses the client on purpose: check certificate and policy.",
    mbedtls: -0x0050,
    sdk: -13,
  },
  TRANSPORT_FAILED: {
    meaning: "the socket failed",
    blame: "network",
    retry: true,
    hint: "See the operating system's code in the message.",
    mbedtls: -0x0042,
    sdk: -22,
  },
} as const satisfies Record<string, ErrorRow>;

/** A key of {@link transportErrors}. */
export type TransportErrorCode = keyof typeof transportErrors;

/** A connection that cannot be made or that broke. `data` holds the peer and the operating system's code where known. */
export class TransportError extends ThingwireError<TransportErrorCode> {
  constructor(code: TransportErrorCode, detail?: string, data?: ErrorData, cause?: unknown) {
    super("transport", code, transportErrors[code], detail, data, cause);
    this.name = "TransportError";
  }
}
