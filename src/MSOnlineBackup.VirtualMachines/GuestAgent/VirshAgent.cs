using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Virsh;

namespace MSOnlineBackup.VirtualMachines.GuestAgent;

/// <summary>The agent in a guest under libvirt, which holds its socket: it is asked through libvirt.</summary>
internal sealed class VirshAgent : IGuestAgent
{
    private const string Scheme = "libvirt-agent:";
    private const string Refused = "unable to execute QEMU agent command";

    private readonly VirshProgram _virsh;
    private readonly string _domain;

    private VirshAgent(VirshProgram virsh, string domain) => (_virsh, _domain) = (virsh, domain);

    /// <summary>How the agent of a machine is named where else the path of its socket is.</summary>
    /// <param name="uri">The address of libvirt.</param>
    /// <param name="domain">The machine's UUID.</param>
    public static string AddressOf(string uri, string domain) => $"{Scheme}{domain}@{uri}";

    /// <summary>The agent of an address; null where that is a socket's path.</summary>
    public static VirshAgent? TryOpen(string address) =>
        address.StartsWith(Scheme, StringComparison.Ordinal) && address[Scheme.Length..].Split('@', 2) is [{ Length: > 0 } domain, { Length: > 0 } uri] ? new VirshAgent(new VirshProgram(uri), domain) : null;

    /// <summary>libvirt does that itself before each command: whether the agent answers is asked.</summary>
    public async Task SyncAsync(TimeSpan patience, CancellationToken cancellationToken) => await ExecuteAsync("guest-ping", patience, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<JsonElement> ExecuteAsync(string command, TimeSpan patience, CancellationToken cancellationToken)
    {
        string seconds = Math.Max(1, (int)Math.Ceiling(patience.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        string line = new JsonObject { ["execute"] = command }.ToJsonString();
        string said;
        try
        {
            said = await _virsh.RunAsync(["qemu-agent-command", _domain, "--timeout", seconds, "--cmd", line], _domain, patience + VirshProgram.Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Message.Contains(Refused, StringComparison.Ordinal))
        {
            throw new GuestAgentException(command, e.Message[(e.Message.IndexOf(Refused, StringComparison.Ordinal) + Refused.Length)..].Trim());
        }
        catch (BackupException e)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnreachable, $"The guest agent of the virtual machine '{_domain}' cannot be reached: {e.Message}", "See that the agent runs in the guest.", _domain, transient: true, innerException: e);
        }

        using JsonDocument answer = JsonDocument.Parse(said);
        return answer.RootElement.TryGetProperty("return", out JsonElement result)
            ? result.Clone()
            : throw new GuestAgentException(command, said);
    }

    /// <summary>Nothing is held.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
