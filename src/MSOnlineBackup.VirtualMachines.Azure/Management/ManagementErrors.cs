using System.Text.Json;
using Azure;
using Azure.Core;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Azure.Management;

/// <summary>The errors of Azure's resource manager and of what it opens, worded in one place. No address of an opened disk is in them.</summary>
internal static class ManagementErrors
{
    /// <summary>An answer that is no success.</summary>
    /// <param name="status">The status of HTTP; 0 for an operation that failed.</param>
    /// <param name="code">Azure's code; empty where there is none.</param>
    /// <param name="message">What Azure says.</param>
    /// <param name="action">What was wanted, in words that follow "to": "read '…'".</param>
    /// <param name="target">The address of what it is about.</param>
    /// <param name="retryAfter">For how long Azure asks not to be asked again.</param>
    public static BackupException From(int status, string code, string message, string action, string target, TimeSpan? retryAfter = null)
    {
        string said = $"{(code.Length > 0 ? code : $"status {status}")}: {Sentence(message)}";
        return status switch
        {
            401 or 403 => new BackupException(
                BackupErrorId.VirtualMachineAccessDenied,
                $"Azure does not allow this machine's identity to {action} ({said}).",
                "Give it a role there that has what docs/images.md lists, such as Virtual Machine Contributor and Disk Backup Reader; a role that was just given takes some minutes.",
                target),
            404 => new BackupException(BackupErrorId.VirtualMachineNotFound, $"Azure has nothing there to {action} ({said}).", "Check the address. A machine that was moved or made anew has another one.", target),
            409 => new BackupException(
                BackupErrorId.VirtualMachineBusy, $"Azure does not {action} now ({said}).", "Wait until what else is done with the machine has ended, and run it again.", target, transient: true),
            408 or 429 or >= 500 => new BackupException(
                BackupErrorId.VirtualMachineUnreachable, $"Azure could not {action} ({said}), though it was asked again and again.", "Run it again later.", target, transient: true, retryAfter: retryAfter),
            _ => new BackupException(BackupErrorId.VirtualMachineCommandFailed, $"Azure did not {action} ({said}).", "See to what Azure says, and run it again.", target),
        };
    }

    /// <summary>An answer that is no success.</summary>
    public static BackupException From(Response response, string action, string target)
    {
        (string code, string message) = Read(response);
        return From(response.Status, code, message, action, target, RetryAfter(response));
    }

    /// <summary>What kept a request from being answered; null where that is no failure of the way.</summary>
    public static BackupException? From(Exception failure, string host, string target)
    {
        if (failure is AggregateException { InnerExceptions: [.., var last] })
        {
            failure = last;
        }

        BackupException? known = TransportErrors.Find(failure, host);
        return known is { Id: not BackupErrorId.VaultUnreachable } || failure is not (RequestFailedException or HttpRequestException or IOException) ? known : new BackupException(
            BackupErrorId.VirtualMachineUnreachable,
            $"'{host}' cannot be reached: {Sentence(failure.GetBaseException().Message)}.",
            "Check this machine's network, name resolution and proxy, and run it again.",
            target,
            transient: true,
            innerException: failure);
    }

    /// <summary>An answer that makes no sense.</summary>
    public static BackupException Senseless(string what, string target) => new(
        BackupErrorId.VirtualMachineCommandFailed, $"Azure's answer cannot be used: {what}.", "Run it again. If that does not help, tell whoever maintains this program.", target);

    /// <summary>For how long Azure asks not to be asked again; null where it does not say, or not in seconds.</summary>
    public static TimeSpan? RetryAfter(Response response) =>
        response.Headers.TryGetValue("Retry-After", out string? text) && int.TryParse(text, out int seconds) && seconds >= 0 ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>The code and the words of an answer, which storage says in headers and XML, and the resource manager in JSON.</summary>
    public static (string Code, string Message) Read(Response response)
    {
        string code = response.Headers.TryGetValue("x-ms-error-code", out string? told) ? told ?? "" : "";
        if (response.ContentStream is { } stream && response.Headers.TryGetValue(HttpHeader.Names.ContentType, out string? type) && type?.Contains("json", StringComparison.OrdinalIgnoreCase) == true)
        {
            try
            {
                using var document = JsonDocument.Parse(stream);
                return Read(document.RootElement) ?? (code, response.ReasonPhrase);
            }
            catch (JsonException)
            {
                // Not the resource manager's own words: the status says what there is to say.
            }
        }

        return (code, response.ReasonPhrase);
    }

    /// <summary>The code and the words of an error; null where it has none.</summary>
    public static (string Code, string Message)? Read(JsonElement body) =>
        body.Find("error") is { } error && error.Text("code") is { } code ? (code, error.Text("message") ?? code) : null;

    private static string Sentence(string text)
    {
        string line = text.Trim().Split('\n', 2)[0].TrimEnd('.', ' ', '\r');
        return line.Length == 0 ? "no reason was given" : line.Length <= 500 ? line : line[..499] + "…";
    }
}
