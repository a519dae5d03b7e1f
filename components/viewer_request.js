// CloudFront Function (runtime 2.0) on every API request of a viewer.
// Regions limit and hash by the viewer's address, so a viewer must not choose it: the header is overwritten.
// A request with credentials gets a cache partition of its own, so that no answer to it is ever reused.
function handler(event) {
  var request = event.request;
  var headers = request.headers;
  var personal = Boolean(headers.authorization) || Object.keys(request.cookies).length > 0;
  headers['x-viewer-address'] = { value: event.viewer.ip };
  headers['x-forwarded-host'] = { value: headers.host.value };
  headers['x-cache-partition'] = { value: personal ? event.context.requestId : 'anonymous' };
  return request;
}
