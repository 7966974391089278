/** How E's latents of many images are spread, against the prior that they should follow together. */

export interface LatentStatistics {
  /**
   * Mean of z over images and dimensions, and root mean square over the dimensions of each one's mean; 0 in the prior.
   */
  z_mean: number;
  z_mean_rms: number;
  /**
   * Root of the mean over dimensions of z's variance over the images, and the prior's: 1, or √⅓ where it is U(−1, 1).
   */
  z_std: number;
  prior_std: number;
  /**
   * Share of the dimensions that say nothing of the image: the mean of z varies by less than `DEAD` of the prior's
   * variance.
   */
  dead_dimensions: number;
}

/** As units count as inactive in Burda, Grosse & Salakhutdinov 2016, section 5.2. */
const DEAD = 0.01;

/**
 * @param mean of z for each image, [n, latent]
 * @param std of z for each image, [n, latent]; 0 where E is deterministic
 */
export function latentStatistics(
  mean: Float32Array,
  std: Float32Array,
  latent: number,
  prior: 'normal' | 'uniform',
): LatentStatistics {
  const n = mean.length / latent;
  const priorVariance = prior === 'normal' ? 1 : 1 / 3;
  let [means, squaredMeans, variances, dead] = [0, 0, 0, 0];
  for (let j = 0; j < latent; j++) {
    let [own, within] = [0, 0];
    for (let at = j; at < mean.length; at += latent) {
      own += mean[at] / n;
      within += std[at] ** 2 / n;
    }
    let between = 0;
    for (let at = j; at < mean.length; at += latent) between += (mean[at] - own) ** 2 / n;
    means += own / latent;
    squaredMeans += own ** 2 / latent;
    // The variance of z is that of its mean, and the mean of its variance.
    variances += (between + within) / latent;
    if (between < DEAD * priorVariance) dead++;
  }
  return {
    z_mean: means,
    z_mean_rms: Math.sqrt(squaredMeans),
    z_std: Math.sqrt(variances),
    prior_std: Math.sqrt(priorVariance),
    dead_dimensions: dead / latent,
  };
}
