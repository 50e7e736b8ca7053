using Azure.Core;
using Azure.Core.Pipeline;

namespace MSOnlineBackup.Storage.Azure.Blobs;

/// <summary>
/// Has the client take what the head of a refusal says where nothing follows it, as after a HEAD. Where the head calls that XML, the client
/// would read it, and throw that the XML has no root instead of what the service said.
/// </summary>
internal sealed class EmptyAnswerPolicy : HttpPipelineSynchronousPolicy
{
    /// <inheritdoc/>
    public override void OnReceivedResponse(HttpMessage message)
    {
        if (message.Response.IsError && (message.Request.Method == RequestMethod.Head || message.Response.Headers.ContentLength == 0))
        {
            message.Response.ContentStream = null;
        }
    }
}
