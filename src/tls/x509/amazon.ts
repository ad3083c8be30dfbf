/**
 * Amazon's roots as trust anchors: those that AWS IoT's endpoints with `-ats` in their name chain to.
 *
 * @module
 */

import { fromHex } from "../../bytes.ts";
import { amazonRoots, type RootConstants } from "./amazon-roots.ts";
import type { TrustAnchor } from "./trust.ts";

function anchorOf({ label, subject, subjectPublicKeyInfo }: RootConstants): TrustAnchor {
  return { label, subject: fromHex(subject), subjectPublicKeyInfo: fromHex(subjectPublicKeyInfo) };
}

/**
 * Amazon Root CA 1 (RSA 2048), 2 (RSA 4096), 3 (P-256), 4 (P-384) and Starfield Services Root G2, which cross-signs them: the
 * default trust of a thing. An app that names it carries 4 kB of constants; one that does not, nothing.
 */
export const amazonTrust: readonly TrustAnchor[] = /* @__PURE__ */ Object.freeze(
  /* @__PURE__ */ amazonRoots.map(anchorOf),
);
