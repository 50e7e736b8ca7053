using System.Xml;
using System.Xml.Linq;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Libvirt;

/// <summary>A disk in the definition of a machine.</summary>
/// <param name="Name">Where the guest has it: <c>vda</c>.</param>
/// <param name="Alias">The id of its device in QEMU; null where the machine is off.</param>
/// <param name="Format">The format of its image.</param>
/// <param name="Image">The file or block device that it is in; null where it is in none of this machine.</param>
/// <param name="Serial">Its serial number; null for none.</param>
/// <param name="IsReadOnly">Whether the guest cannot write to it.</param>
/// <param name="IsPassedThrough">Whether it is a device that the guest speaks to itself (<c>device='lun'</c>).</param>
internal sealed record DomainDisk(string Name, string? Alias, string Format, string? Image, string? Serial, bool IsReadOnly, bool IsPassedThrough);

/// <summary>What libvirt's definition of a machine says.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uuid">Its UUID.</param>
/// <param name="Disks">Its disks: no drives of CDs and floppies.</param>
/// <param name="Variables">The file of its firmware's variables; null for none.</param>
/// <param name="HasAgent">Whether the guest's agent is connected.</param>
internal sealed record DomainDefinition(string Name, string? Uuid, IReadOnlyList<DomainDisk> Disks, string? Variables, bool HasAgent)
{
    private const string AgentChannel = "org.qemu.guest_agent.0";

    /// <summary>Reads one.</summary>
    /// <exception cref="BackupException">VirtualMachineCommandFailed: it is none.</exception>
    public static DomainDefinition Read(string xml)
    {
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            XElement domain = XDocument.Load(reader).Root!;
            XElement[] devices = [.. domain.Elements("devices").Elements()];
            return new DomainDefinition(
                (string?)domain.Element("name") ?? throw new XmlException("There is no name."),
                (string?)domain.Element("uuid"),
                [.. devices.Where(device => device.Name == "disk").Select(ReadDisk).OfType<DomainDisk>()],
                (string?)domain.Element("os")?.Element("nvram") is { Length: > 0 } file ? file : null,
                devices.Any(device => device.Name == "channel" && device.Element("target") is { } target && (string?)target.Attribute("name") == AgentChannel && (string?)target.Attribute("state") == "connected"));
        }
        catch (XmlException e)
        {
            throw new BackupException(BackupErrorId.VirtualMachineCommandFailed, $"What libvirt gives as the definition of a virtual machine is none: {e.Message}", "See what 'virsh dumpxml' says.", innerException: e);
        }
    }

    private static DomainDisk? ReadDisk(XElement disk)
    {
        string kind = (string?)disk.Attribute("device") ?? "disk";
        if (kind is not ("disk" or "lun") || (string?)disk.Element("target")?.Attribute("dev") is not { } name)
        {
            return null;
        }

        XElement? source = disk.Element("source");
        return new DomainDisk(
            name,
            (string?)disk.Element("alias")?.Attribute("name"),
            (string?)disk.Element("driver")?.Attribute("type") ?? "raw",
            (string?)source?.Attribute("file") ?? (string?)source?.Attribute("dev"),
            (string?)disk.Element("serial"),
            disk.Element("readonly") is not null,
            kind == "lun");
    }
}
