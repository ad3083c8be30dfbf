/**
 * The vocabulary of AWS IoT policies: the document as it is written, its compiled form, who asks for what, and the answer.
 *
 * Sources: AWS IoT Developer Guide, "AWS IoT Core policies"; IAM User Guide, "JSON policy elements".
 *
 * @module
 */

import type { ArnPattern } from "./arn.ts";
import type { Condition } from "./conditions.ts";
import type { Codes } from "./pattern.ts";

/**
 * What a policy can allow to a device. The shadow and retained-message actions govern HTTP only: over MQTT a device needs Publish,
 * Subscribe and Receive on the reserved topics.
 */
export type PolicyAction =
  | "iot:Connect"
  | "iot:Publish"
  | "iot:RetainPublish"
  | "iot:Subscribe"
  | "iot:Receive"
  | "iot:GetThingShadow"
  | "iot:UpdateThingShadow"
  | "iot:DeleteThingShadow"
  | "iot:ListNamedShadowsForThing"
  | "iot:GetRetainedMessage"
  | "iot:ListRetainedMessages";

/** One value or several. */
export type OneOrMany<T> = T | readonly T[];

/** A statement as it is written. Exactly one of `Resource` and `NotResource`. */
export interface StatementDocument {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  /** Operator, then key, then values: `{ Bool: { "iot:Connection.Thing.IsAttached": "true" } }`. All must hold. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany<string | number | boolean>>>>>;
}

/** A policy document as it is written. Without the version 2012-10-17, variables are plain text. */
export interface PolicyDocument {
  readonly Version?: "2012-10-17" | "2008-10-17";
  readonly Id?: string;
  readonly Statement: OneOrMany<StatementDocument>;
}

/** A statement, ready to be asked. */
export interface Statement {
  /** Its place in the document, from 1. */
  readonly number: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  /** In lower case: action names have no case. */
  readonly actions: readonly { readonly source: string; readonly codes: Codes }[];
  readonly resources: readonly ArnPattern[];
  /** Whether `resources` stood under `NotResource`. */
  readonly except: boolean;
  readonly conditions: readonly Condition[];
}

/** A policy with its name; made by `parsePolicy`. */
export interface Policy {
  readonly name: string;
  readonly document: PolicyDocument;
  readonly statements: readonly Statement[];
}

/** Names of a certificate as AWS calls them (`CommonName`, `Organization`, …); several values where the certificate has several. */
export type CertificateNames = Readonly<Record<string, OneOrMany<string>>>;

/** What policies can know of a client certificate. */
export interface PolicyCertificate {
  /** SHA-256 of the DER, in hexadecimal digits. */
  readonly id?: string | undefined;
  readonly subject?: CertificateNames | undefined;
  readonly issuer?: CertificateNames | undefined;
  /** Of the certificate, in decimal. */
  readonly serialNumber?: string | undefined;
  /** `DNSName`, `IPAddress`, `RFC822Name`, `UniformResourceIdentifier`, `DirectoryName`. */
  readonly subjectAlternativeName?: CertificateNames | undefined;
  readonly issuerAlternativeName?: CertificateNames | undefined;
}

/** Who asks. */
export interface PolicyContext {
  readonly clientId: string;
  /** `192.0.2.1` or `2001:db8::1`. */
  readonly sourceIp?: string | undefined;
  /** The thing whose name is the client id **and** to which the certificate is attached; absent otherwise. */
  readonly thing?:
    | {
        readonly name: string;
        readonly typeName?: string | undefined;
        readonly attributes?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  /** Whether the certificate is attached to the thing that has the client id as its name. */
  readonly isAttached: boolean;
  readonly certificate?: PolicyCertificate | undefined;
  /** Only for `iot:Connect`: what the CONNECT packet wants. */
  readonly connect?: { readonly persistent: boolean; readonly willTopic?: string | undefined } | undefined;
  /** Milliseconds since 1970, for conditions on time. */
  readonly nowMs?: number | undefined;
}

/** What is asked for. */
export interface PolicyRequest {
  readonly action: PolicyAction;
  /** `client/<id>`, `topic/<name>`, `topicfilter/<filter>` or `thing/<name>`. */
  readonly resource: string;
  /** `eu-west-1`. Where it is absent, the region of a resource in a policy is not looked at. */
  readonly region?: string | undefined;
  /** Twelve digits. Where it is absent, the account of a resource in a policy is not looked at. */
  readonly accountId?: string | undefined;
}

/** The answer. */
export interface PolicyDecision {
  readonly allowed: boolean;
  /** One line for a log: which statement decided, or which came nearest and why it does not apply. */
  readonly explanation: string;
  /** The statement that decided, counted from 1; absent where no statement applies. */
  readonly by?: { readonly policy: string; readonly statement: number };
}
