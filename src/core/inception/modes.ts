export const MODES = ['tf', 'clean', 'pytorch'] as const;

/**
 * How images are brought to the network's size. `tf`: the released network's own ResizeBilinear, corners of pixels at
 * whole numbers, no antialiasing; what papers report. `clean`: antialiased bicubic of Pillow on floats (clean-fid).
 * `pytorch`: bilinear with pixels' centres at halves, no antialiasing (pytorch-fid).
 */
export type Mode = (typeof MODES)[number];
