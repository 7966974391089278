/** Images in a batch of the extractor; scores do not depend on it. */
export const FID_BATCH_SIZE = 64;
