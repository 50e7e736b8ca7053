using System.Text.Json;
using System.Text.Json.Nodes;
using Azure;
using Azure.Core;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Azure.Management;

/// <summary>
/// A client of Azure's resource manager, for the few things that are wanted of it. Operations that take their time are waited for. Requests that are throttled, or that Azure could not answer, are sent
/// again.
/// </summary>
/// <param name="access">How it is reached.</param>
internal sealed class ResourceManager(AzureAccess access)
{
    /// <summary>The version of the interface for machines and their restore points.</summary>
    public const string ComputeVersion = "2024-07-01";

    /// <summary>The version of the interface for disks and what is opened of them.</summary>
    public const string DiskVersion = "2024-03-02";

    /// <summary>Something, as Azure describes it.</summary>
    /// <param name="path">Its address, and what follows it.</param>
    /// <param name="version">The version of the interface.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="expand">What is described with it; null for nothing.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="BackupException">VirtualMachineAccessDenied, VirtualMachineUnreachable, VirtualMachineBusy, VirtualMachineCommandFailed; of the identity.</exception>
    public async Task<JsonElement?> FindAsync(string path, string version, CancellationToken cancellationToken, string? expand = null)
    {
        string action = $"read '{path}'";
        using Response answer = await SendAsync(RequestMethod.Get, UrlOf(path, version, expand), null, action, path, cancellationToken).ConfigureAwait(false);
        return answer.Status == 404 ? null : answer.Status == 200 ? Body(answer, path) : throw ManagementErrors.From(answer, action, path);
    }

    /// <summary>Something that has to be there.</summary>
    /// <inheritdoc cref="FindAsync"/>
    /// <exception cref="BackupException">As of <see cref="FindAsync"/>; VirtualMachineNotFound.</exception>
    public async Task<JsonElement> GetAsync(string path, string version, CancellationToken cancellationToken) =>
        await FindAsync(path, version, cancellationToken).ConfigureAwait(false)
        ?? throw ManagementErrors.From(404, "", "it does not exist, or this machine's identity may not see it", $"read '{path}'", path);

    /// <summary>Makes something, and gives what it became.</summary>
    /// <exception cref="BackupException">As of <see cref="GetAsync"/>.</exception>
    public async Task<JsonElement> PutAsync(string path, string version, JsonObject body, CancellationToken cancellationToken)
    {
        await RunAsync(RequestMethod.Put, path, "", version, body, $"create '{path}'", cancellationToken).ConfigureAwait(false);
        return await GetAsync(path, version, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes something.</summary>
    /// <exception cref="BackupException">As of <see cref="GetAsync"/>.</exception>
    public Task PatchAsync(string path, string version, JsonObject body, CancellationToken cancellationToken) =>
        RunAsync(RequestMethod.Patch, path, "", version, body, $"change '{path}'", cancellationToken);

    /// <summary>Removes something. That it is gone already is no failure.</summary>
    /// <exception cref="BackupException">As of <see cref="FindAsync"/>.</exception>
    public async Task DeleteAsync(string path, string version, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(RequestMethod.Delete, path, "", version, null, $"remove '{path}'", cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VirtualMachineNotFound)
        {
            // As asked.
        }
    }

    /// <summary>Has something be done, and gives what came of it; null for nothing.</summary>
    /// <param name="path">The address of what it is done with.</param>
    /// <param name="verb">What is done, as Azure calls it.</param>
    /// <param name="version">The version of the interface.</param>
    /// <param name="body">How; null where there is nothing to say.</param>
    /// <param name="action">In words that follow "to".</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="GetAsync"/>.</exception>
    public Task<JsonElement?> PostAsync(string path, string verb, string version, JsonObject? body, string action, CancellationToken cancellationToken) =>
        RunAsync(RequestMethod.Post, path, "/" + verb, version, body, action, cancellationToken);

    private async Task<JsonElement?> RunAsync(RequestMethod method, string path, string verb, string version, JsonObject? body, string action, CancellationToken cancellationToken)
    {
        using Response begun = await SendAsync(method, UrlOf(path + verb, version, null), body, action, path, cancellationToken).ConfigureAwait(false);
        if (begun.Status is not (200 or 201 or 202 or 204))
        {
            throw ManagementErrors.From(begun, action, path);
        }

        Uri? operation = Link(begun, "Azure-AsyncOperation", path);
        Uri? location = begun.Status == 202 ? Link(begun, "Location", path) : null;
        TimeSpan? wait = ManagementErrors.RetryAfter(begun);
        long start = access.Pace.Time.GetTimestamp();
        if (operation is not null)
        {
            JsonElement? output = await WatchAsync(operation).ConfigureAwait(false);
            return output ?? (method == RequestMethod.Post && location is not null ? await FollowAsync(location).ConfigureAwait(false) : null);
        }

        return location is not null ? await FollowAsync(location).ConfigureAwait(false)
            : begun.Status == 202 ? throw ManagementErrors.Senseless($"it began to {action}, and does not say where its end is told", path)
            : TryBody(begun);

        async Task<JsonElement?> WatchAsync(Uri url)
        {
            while (true)
            {
                await PauseAsync().ConfigureAwait(false);
                using Response answer = await SendAsync(RequestMethod.Get, url, null, action, path, cancellationToken).ConfigureAwait(false);
                if (answer.Status is not (200 or 202))
                {
                    throw ManagementErrors.From(answer, action, path);
                }

                wait = ManagementErrors.RetryAfter(answer);
                JsonElement told = Body(answer, path);
                switch (told.Text("status"))
                {
                    case "Succeeded":
                        return told.Find("properties", "output");
                    case "Failed" or "Canceled":
                        (string code, string message) = ManagementErrors.Read(told) ?? ("", "the operation failed");
                        throw ManagementErrors.From(StatusOf(code), code, message, action, path);
                    case null:
                        throw ManagementErrors.Senseless($"it does not say how far it is to {action}", path);
                }
            }
        }

        async Task<JsonElement?> FollowAsync(Uri url)
        {
            while (true)
            {
                await PauseAsync().ConfigureAwait(false);
                using Response answer = await SendAsync(RequestMethod.Get, url, null, action, path, cancellationToken).ConfigureAwait(false);
                if (answer.Status is 200 or 201 or 204)
                {
                    return TryBody(answer);
                }

                wait = answer.Status == 202 ? ManagementErrors.RetryAfter(answer) : throw ManagementErrors.From(answer, action, path);
            }
        }

        async Task PauseAsync()
        {
            if (access.Pace.Time.GetElapsedTime(start) > access.Pace.OperationLimit)
            {
                throw ManagementErrors.From(408, "", $"it has not ended after {access.Pace.OperationLimit.TotalMinutes:0} minutes", action, path);
            }

            await Task.Delay(wait ?? access.Pace.PollDelay, access.Pace.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    // Operations that fail later say by their codes what a status would have said at once.
    private static int StatusOf(string code) => code switch
    {
        "AuthorizationFailed" or "LinkedAuthorizationFailed" => 403,
        "ResourceNotFound" or "NotFound" => 404,
        "Conflict" or "OperationNotAllowed" or "AnotherOperationInProgress" or "OperationPreempted" => 409,
        "TooManyRequests" or "OperationThrottled" => 429,
        "InternalServerError" or "InternalExecutionError" or "InternalError" => 500,
        _ => 0,
    };

    // Some of the addresses are from answers.
    private Uri UrlOf(string path, string version, string? expand) => path.StartsWith(AzureResourceId.Beginning, StringComparison.OrdinalIgnoreCase)
        ? new Uri(access.Endpoint, $"{path}?api-version={version}{(expand is null ? "" : $"&$expand={expand}")}")
        : throw ManagementErrors.Senseless("an address in it is none", path);

    // The token goes along: nobody else gets it, whatever an answer says.
    private Uri? Link(Response answer, string header, string target) => !answer.Headers.TryGetValue(header, out string? text) ? null
        : Uri.TryCreate(access.Endpoint, text, out Uri? url) && url.Scheme == access.Endpoint.Scheme && url.Authority == access.Endpoint.Authority ? url
        : throw ManagementErrors.Senseless($"it refers to another host in '{header}'", target);

    private async Task<Response> SendAsync(RequestMethod method, Uri url, JsonObject? body, string action, string target, CancellationToken cancellationToken)
    {
        using Request request = access.Management.CreateRequest();
        request.Method = method;
        request.Uri.Reset(url);
        request.Headers.Add(HttpHeader.Common.JsonAccept);
        if (body is not null)
        {
            request.Headers.Add(HttpHeader.Common.JsonContentType);
            request.Content = RequestContent.Create(BinaryData.FromString(body.ToJsonString()));
        }

        try
        {
            return await access.Management.SendRequestAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not BackupException && !cancellationToken.IsCancellationRequested && ManagementErrors.From(e, access.Endpoint.Host, target) is { } known)
        {
            throw known;
        }
    }

    private static JsonElement Body(Response answer, string target) => TryBody(answer) ?? throw ManagementErrors.Senseless("it is empty, or not JSON", target);

    private static JsonElement? TryBody(Response answer)
    {
        if (answer.ContentStream is null)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(answer.Content);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
