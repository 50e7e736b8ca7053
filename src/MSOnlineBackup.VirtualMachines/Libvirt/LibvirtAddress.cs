using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Libvirt;

/// <summary>Where a machine of libvirt's is: libvirt's own address with the name of the machine as the last part of its path, as <c>qemu:///system/vm1</c>.</summary>
/// <param name="Uri">The address of libvirt.</param>
/// <param name="Domain">The machine's name.</param>
public sealed record LibvirtAddress(string Uri, string Domain)
{
    private const string Scheme = "qemu:";
    private const string SocketScheme = "qemu+unix:";

    /// <summary>Whether a text is meant as such an address.</summary>
    public static bool IsOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || text.StartsWith("qemu+", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads one. A name with '?', '#' or '%' has these as %3F, %23 and %25.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it names no machine; VirtualMachineUnfit: libvirt is on another machine, whose sockets are not here.</exception>
    public static LibvirtAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int mark = text.IndexOfAny(['?', '#']);
        string place = mark < 0 ? text : text[..mark];
        string query = mark < 0 ? "" : text[mark..];
        if (!place.StartsWith("qemu:///", StringComparison.OrdinalIgnoreCase) && !place.StartsWith(SocketScheme + "///", StringComparison.OrdinalIgnoreCase))
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"'{text}' is no virtual machine of libvirt on this machine: what a guest overwrites, and its disks, go over files and sockets here.",
                "Run the backup where the virtual machine runs: qemu:///system/NAME.", text);
        }

        string[] parts = place[place.IndexOf("///", StringComparison.Ordinal)..].TrimStart('/').Split('/');
        return parts is [{ Length: > 0 } kind, { Length: > 0 } name]
            ? new LibvirtAddress($"{place[..place.IndexOf("///", StringComparison.Ordinal)]}///{kind}{query}", System.Uri.UnescapeDataString(name))
            : throw new BackupException(BackupErrorId.ArgumentInvalid, $"'{text}' names no virtual machine.", "Write the address of libvirt and the machine's name, such as qemu:///system/vm1.", text);
    }
}
