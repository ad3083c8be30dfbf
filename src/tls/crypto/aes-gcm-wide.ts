/**
 * AES-GCM for engines that interpret: by tables, and from 1 KiB on in the wide form (`gcm-wide.ts`), which takes half the time on XS; on an engine
 * that compiles, several times as long. A module of its own, so that a bundle has the one form for bulk or the other.
 *
 * @module
 */

import type { AeadAlgorithm } from "./aead-task.ts";
import type { Aes } from "./aes.ts";
import { type BulkForm, prepareGcm, tableForm } from "./aes-gcm.ts";
import { gcmWide, WIDE_BLOCKS, type WideKey, wideKey, wideLayout, wipeWide } from "./gcm-wide.ts";

/** AES-128-GCM for QuickJS and XS, as a piece of a provider. */
export const aes128GcmWide: AeadAlgorithm = {
  name: "aes-128-gcm",
  keyBytes: 16,
  prepare: () => prepareGcm("aes-128-gcm", tableForm(wideBulk())),
};

/** AES-256-GCM for QuickJS and XS, as a piece of a provider. */
export const aes256GcmWide: AeadAlgorithm = {
  name: "aes-256-gcm",
  keyBytes: 32,
  prepare: () => prepareGcm("aes-256-gcm", tableForm(wideBulk())),
};

function wideBulk(): BulkForm<Aes, WideKey> {
  let layout: ReturnType<typeof wideLayout> | undefined;
  return {
    after: 0,
    least: WIDE_BLOCKS,
    multiple: WIDE_BLOCKS,
    most: WIDE_BLOCKS,
    key(aes, ghash) {
      layout ??= wideLayout();
      return wideKey(layout, aes, ghash);
    },
    run: gcmWide,
    wipe: wipeWide,
  };
}
