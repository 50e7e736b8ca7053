using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Qmp;
using MSOnlineBackup.VirtualMachines.Virsh;

namespace MSOnlineBackup.VirtualMachines.Libvirt;

/// <summary>The monitor of a QEMU that libvirt holds: commands go through libvirt, which has them wait for its own.</summary>
internal sealed class VirshMonitor : IQemuMonitor
{
    private readonly VirshProgram _virsh;
    private readonly string _domain;

    private VirshMonitor(VirshProgram virsh, string domain) => (_virsh, _domain) = (virsh, domain);

    /// <inheritdoc/>
    public Version Version { get; private set; } = new();

    /// <summary>Asks for QEMU's version.</summary>
    /// <exception cref="BackupException">Those of <see cref="VirshProgram.RunAsync"/>.</exception>
    public static async Task<VirshMonitor> ConnectAsync(VirshProgram virsh, string domain, CancellationToken cancellationToken)
    {
        var monitor = new VirshMonitor(virsh, domain);
        JsonElement version = (await monitor.ExecuteAsync("query-version", null, cancellationToken).ConfigureAwait(false)).Member("qemu") ?? default;
        monitor.Version = new Version((int)(version.Number("major") ?? 0), (int)(version.Number("minor") ?? 0), (int)(version.Number("micro") ?? 0));
        return monitor;
    }

    /// <inheritdoc/>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        // The id is libvirt's own.
        var line = new JsonObject { ["execute"] = command };
        if (arguments is not null)
        {
            line["arguments"] = arguments;
        }

        string said = await _virsh.RunAsync(["qemu-monitor-command", _domain, "--cmd", line.ToJsonString()], _domain, null, cancellationToken).ConfigureAwait(false);
        try
        {
            using JsonDocument document = JsonDocument.Parse(said);
            JsonElement answer = document.RootElement;
            return answer.Member("error") is { } error ? throw QmpException.From(command, error) : (answer.Member("return") ?? throw new JsonException("It says what is no answer.")).Clone();
        }
        catch (JsonException e)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineCommandFailed, $"What libvirt gives as QEMU's answer to '{command}' is none: {e.Message}", "Run the backup again.", _domain, innerException: e);
        }
    }

    /// <summary>Nothing is held.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
