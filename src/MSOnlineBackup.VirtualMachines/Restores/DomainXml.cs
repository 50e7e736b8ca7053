using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>The definition of a machine for libvirt: made of the one that the recovery point has, or of what the point says of the hardware. Pure functions.</summary>
internal static class DomainXml
{
    /// <summary>Makes one of what is known of the hardware.</summary>
    public static string Create(NewMachine machine)
    {
        var os = new XElement(
            "os",
            new XElement("type", new XAttribute("arch", machine.Architecture), new XAttribute("machine", machine.Type), "hvm"));
        if (machine.IsUefi)
        {
            os.Add(new XElement("loader", new XAttribute("readonly", "yes"), new XAttribute("type", "pflash"), machine.FirmwareFile));
            if (machine.HasVariables)
            {
                os.Add(new XElement("nvram", Path.Combine(machine.Folder, machine.VariablesFile)));
            }
        }

        var devices = new XElement("devices");
        var letters = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach ((int index, MachineDisk disk) in machine.Description.Disks.Index())
        {
            string bus = machine.BusOf(disk);
            string prefix = bus switch { "virtio" => "vd", "ide" => "hd", _ => "sd" };
            int place = letters[prefix] = letters.GetValueOrDefault(prefix, -1) + 1;
            devices.Add(new XElement(
                "disk",
                new XAttribute("type", "file"),
                new XAttribute("device", "disk"),
                new XElement("driver", new XAttribute("name", "qemu"), new XAttribute("type", machine.Format), new XAttribute("discard", "unmap")),
                new XElement("source", new XAttribute("file", Path.Combine(machine.Folder, machine.FileOf(disk)))),
                new XElement("target", new XAttribute("dev", prefix + Letters(place)), new XAttribute("bus", bus)),
                disk.IsReadOnly ? new XElement("readonly") : null,
                disk.Serial is { } serial && !serial.Any(char.IsControl) ? new XElement("serial", serial) : null,
                new XElement("boot", new XAttribute("order", index + 1))));
        }

        if (machine.Description.Disks.Any(disk => machine.BusOf(disk) == "scsi"))
        {
            devices.Add(new XElement("controller", new XAttribute("type", "scsi"), new XAttribute("index", "0"), new XAttribute("model", "virtio-scsi")));
        }

        foreach ((int index, string card) in machine.Cards.Index())
        {
            var added = new XElement("interface", new XElement("mac", new XAttribute("address", machine.Addresses[index])), new XElement("model", new XAttribute("type", ModelOf(card))));
            Connect(added, machine.Network);
            devices.Add(added);
        }

        devices.Add(new XElement("graphics", new XAttribute("type", "vnc"), new XAttribute("autoport", "yes")), new XElement("video", new XElement("model", new XAttribute("type", "vga"))));
        return Write(new XElement(
            "domain",
            new XAttribute("type", "kvm"),
            new XElement("name", machine.Name),
            new XElement("uuid", machine.Uuid),
            new XElement("memory", new XAttribute("unit", "MiB"), machine.Memory),
            new XElement("vcpu", machine.Processors),
            os,
            new XElement("features", new XElement("acpi")),
            devices));
    }

    /// <summary>Makes one of another machine's.</summary>
    /// <param name="domain">The other's, as libvirt tells it.</param>
    /// <param name="machine">The new machine; of its cards, those in <paramref name="domain"/> count.</param>
    /// <param name="createAddress">Gives a new MAC address.</param>
    /// <returns>The definition, and the disks of the other that it has not: those that are not in the recovery point.</returns>
    /// <exception cref="BackupException">MachinePointUnfit: it is no such definition, or names not all disks.</exception>
    public static (string Xml, IReadOnlyList<string> Removed) Edit(ReadOnlyMemory<byte> domain, NewMachine machine, Func<string> createAddress)
    {
        XElement root = Parse(domain, machine.Description.Name);
        root.Attribute("id")?.Remove();
        root.Elements("seclabel").Remove();
        Set(root, "name", machine.Name);
        Set(root, "uuid", machine.Uuid);
        XElement devices = root.Element("devices") ?? throw Unfit(machine.Description.Name, "it has no devices", null);
        devices.Descendants("alias").Remove();
        devices.Elements("emulator").Remove();
        IReadOnlyList<string> removed = EditDisks(devices, machine);
        foreach (XElement card in devices.Elements("interface"))
        {
            card.Elements("mac").Remove();
            card.AddFirst(new XElement("mac", new XAttribute("address", createAddress())));
            Connect(card, machine.Network);
        }

        // Sockets and files of the other one, which goes on.
        devices.Elements("channel").Elements("source").Where(source => source.Attribute("path") is not null).Remove();
        XElement? nvram = root.Element("os")?.Element("nvram");
        if (nvram is not null)
        {
            nvram.RemoveNodes();
            nvram.Attribute("type")?.Remove();
            if (machine.HasVariables)
            {
                nvram.Add(Path.Combine(machine.Folder, machine.VariablesFile));
            }
        }

        return (Write(root), removed);
    }

    private static List<string> EditDisks(XElement devices, NewMachine machine)
    {
        var left = machine.Description.Disks.ToList();
        var removed = new List<string>();
        foreach (XElement each in devices.Elements("disk").ToList())
        {
            string? target = each.Element("target")?.Attribute("dev")?.Value;
            if (each.Attribute("device")?.Value is "cdrom" or "floppy")
            {
                // What was in the drive may not be here.
                each.Elements("source").Remove();
                each.Elements("backingStore").Remove();
                each.SetAttributeValue("type", "file");
            }
            else if (left.FirstOrDefault(disk => disk.Name == target) is { } disk)
            {
                left.Remove(disk);
                each.Elements("source").Remove();
                each.Elements("backingStore").Remove();
                each.Elements("mirror").Remove();
                each.Elements("auth").Remove();
                each.Elements("encryption").Remove();
                each.SetAttributeValue("type", "file");
                each.Attribute("snapshot")?.Remove();
                XElement driver = each.Element("driver") ?? new XElement("driver", new XAttribute("name", "qemu"));
                driver.Remove();
                driver.SetAttributeValue("type", machine.Format);
                each.AddFirst(driver, new XElement("source", new XAttribute("file", Path.Combine(machine.Folder, machine.FileOf(disk)))));
            }
            else
            {
                removed.Add(target ?? "?");
                each.Remove();
            }
        }

        return left.Count == 0 ? removed : throw Unfit(machine.Description.Name, $"it does not have the disk '{left[0].Name}'", null);
    }

    private static void Connect(XElement card, MachineNetwork network)
    {
        foreach (string name in (string[])["source", "target", "link", "virtualport", "filterref", "portForward", "backend", "ip", "guest"])
        {
            card.Elements(name).Remove();
        }

        card.Attribute("managed")?.Remove();
        card.Attribute("trustGuestRxFilters")?.Remove();
        card.SetAttributeValue("type", network.Bridge is null ? "user" : "bridge");
        if (network.Bridge is { } bridge)
        {
            card.Element("mac")!.AddAfterSelf(new XElement("source", new XAttribute("bridge", bridge)));
        }
        else if (network == MachineNetwork.None)
        {
            card.Add(new XElement("link", new XAttribute("state", "down")));
        }
    }

    private static XElement Parse(ReadOnlyMemory<byte> domain, string machine)
    {
        try
        {
            using var stream = new MemoryStream(domain.ToArray());
            using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreWhitespace = true });
            XElement root = XElement.Load(reader);
            return root.Name.LocalName == "domain" ? root : throw Unfit(machine, "it is no definition of a machine", null);
        }
        catch (XmlException e)
        {
            throw Unfit(machine, e.Message, e);
        }
    }

    private static void Set(XElement root, string name, string value)
    {
        root.Elements(name).Skip(1).Remove();
        root.SetElementValue(name, value);
    }

    private static string Write(XElement root)
    {
        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { OmitXmlDeclaration = true, Indent = true, NewLineChars = "\n" }))
        {
            root.Save(writer);
        }

        return text.Append('\n').ToString();
    }

    private static string ModelOf(string card) => card.StartsWith("virtio-net", StringComparison.Ordinal) ? "virtio" : card;

    // a … z, aa, ab, …
    private static string Letters(int place) => place < 26 ? ((char)('a' + place)).ToString(CultureInfo.InvariantCulture) : Letters((place / 26) - 1) + Letters(place % 26);

    private static BackupException Unfit(string machine, string why, Exception? cause) => new(
        BackupErrorId.MachinePointUnfit, $"No new machine can be defined by the definition that the recovery point of '{machine}' has: {why.TrimEnd('.')}.", "Restore its disks one by one, and define the machine yourself.", machine, innerException: cause);
}
