/** Shapes of Scaleway credentials (scaleway-sdk-go, package validation). */
export const SCALEWAY_ACCESS_KEY = /^SCW[A-Z0-9]{17}$/;
export const SCALEWAY_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const SCALEWAY_REGION = /^[a-z]{2}-[a-z]{3,7}$/;
