using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Virsh;

namespace MSOnlineBackup.VirtualMachines.Libvirt;

/// <summary>A machine that libvirt knows.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uuid">Its UUID.</param>
/// <param name="IsRunning">Whether it runs, or is paused.</param>
public sealed record LibvirtDomain(string Name, string Uuid, bool IsRunning);

/// <summary>libvirt on this machine.</summary>
public static class LibvirtHost
{
    /// <summary>The machines that it knows, those that are off among them, by name.</summary>
    /// <param name="uri">The address of libvirt: <c>qemu:///system</c> or <c>qemu:///session</c>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineProgramUnusable: there is no virsh; VirtualMachineUnreachable: libvirt does not answer; VirtualMachineCommandFailed.</exception>
    public static async Task<IReadOnlyList<LibvirtDomain>> ListAsync(string uri, CancellationToken cancellationToken)
    {
        var virsh = new VirshProgram(uri);
        var running = (await LinesAsync(virsh, ["list", "--uuid"], cancellationToken).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        var domains = new List<LibvirtDomain>();
        foreach (string line in await LinesAsync(virsh, ["list", "--all", "--uuid", "--name"], cancellationToken).ConfigureAwait(false))
        {
            // The UUID, spaces, and the name, which may have some too.
            if (line.Split(' ', 2) is [var uuid, var name])
            {
                domains.Add(new LibvirtDomain(name.Trim(), uuid, running.Contains(uuid)));
            }
        }

        return [.. domains.OrderBy(domain => domain.Name, StringComparer.Ordinal)];
    }

    private static async Task<IEnumerable<string>> LinesAsync(VirshProgram virsh, IReadOnlyList<string> command, CancellationToken cancellationToken) =>
        (await virsh.RunAsync(command, null, null, cancellationToken).ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
