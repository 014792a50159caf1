/** Output formats of `open`. */
export type {
  FormatOptions,
  OpenedSecret,
  OptionName,
  OutputFormat,
  Rendered,
  RenderedBytes,
  RenderedFile,
  RenderedFiles,
} from './format.js';
export { FORMAT_NAMES, type FormatName, formatsFor, isFormatName, outputFormat, outputFormats } from './registry.js';
export { checkRenderable, type Openable, renderSecrets } from './render.js';
