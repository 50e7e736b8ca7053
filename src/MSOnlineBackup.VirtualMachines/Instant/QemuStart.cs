using System.Globalization;
using System.Text.Json.Nodes;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>How a machine is started: the arguments of QEMU's, which leaves the terminal when it runs.</summary>
internal static class QemuStart
{
    // For so long what is read waits for a server that is gone. After that it is an error, and the guest stands still: its clock too, so that nothing in it gives up on the disk.
    private const int ReconnectSeconds = 10;

    // Slots for more devices than these are shared.
    private const int MostSlots = 20;
    private const int SlotFunctions = 8;
    private const int FirstSlot = 8;
    private const int SataPorts = 6;

    /// <summary>The node of a disk's image.</summary>
    public static string NodeOf(int disk) => string.Create(CultureInfo.InvariantCulture, $"disk{disk}");

    /// <summary>What is below an image as long as it has not all.</summary>
    public static JsonObject BackingOf(string socket) => new()
    {
        ["driver"] = "raw",
        ["read-only"] = true,
        ["file"] = new JsonObject
        {
            ["driver"] = "nbd",
            ["server"] = new JsonObject { ["type"] = "unix", ["path"] = socket },
            ["reconnect-delay"] = ReconnectSeconds,
        },
    };

    /// <summary>The arguments.</summary>
    /// <param name="request">The machine.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="disks">Its disks.</param>
    /// <param name="isBacked">Whether an image has not all.</param>
    public static IReadOnlyList<string> Arguments(InstantRequest request, InstantFolder folder, IReadOnlyList<InstantDisk> disks, Func<InstantDisk, bool> isBacked)
    {
        var arguments = new List<string>
        {
            "-daemonize", "-nodefaults", "-no-user-config", "-name", $"guest={Escape(request.Name)}",
            "-machine", "pc", "-cpu", "max",
            "-m", (request.MemoryBytes >> 20).ToString(CultureInfo.InvariantCulture), "-smp", request.Processors.ToString(CultureInfo.InvariantCulture),
            "-qmp", $"unix:{Escape(folder.OwnMonitor)},server=on,wait=off", "-qmp", $"unix:{Escape(folder.Monitor)},server=on,wait=off",
            "-pidfile", folder.ProcessId, "-D", folder.Log, "-vga", "std",
        };
        if (!request.QemuOptions.Any(IsScreen))
        {
            arguments.AddRange(["-display", $"vnc=unix:{Escape(folder.Screen)}"]);
        }

        if (!request.QemuOptions.Any(option => NameOf(option) == "accel"))
        {
            // The first that can be had.
            arguments.AddRange(["-accel", "kvm", "-accel", "tcg"]);
        }

        foreach (string option in request.QemuOptions)
        {
            string[] parts = option.Trim().Split(' ', 2, StringSplitOptions.TrimEntries);
            arguments.Add('-' + parts[0].TrimStart('-'));
            arguments.AddRange(parts[1..]);
        }

        arguments.AddRange(request.Bus == DiskBus.Scsi ? ["-device", "virtio-scsi-pci,id=scsi"] : []);
        foreach ((int index, InstantDisk disk) in disks.Index())
        {
            if (request.Bus == DiskBus.Sata && index % SataPorts == 0)
            {
                arguments.AddRange(["-device", string.Create(CultureInfo.InvariantCulture, $"ahci,id=sata{index / SataPorts}")]);
            }

            arguments.AddRange(["-blockdev", Image(index, disk, folder, isBacked(disk)).ToJsonString()]);
            if (IsShownReadOnly(disk, request.Bus))
            {
                // The image itself is written, until it has all.
                arguments.AddRange(["-blockdev", new JsonObject { ["driver"] = "raw", ["node-name"] = NodeOf(index) + "-shown", ["read-only"] = true, ["file"] = NodeOf(index) }.ToJsonString()]);
            }

            arguments.AddRange(["-device", Device(index, disk, request.Bus, disks.Count).ToJsonString()]);
        }

        return arguments;
    }

    /// <summary>A script that starts the machine when its images have all.</summary>
    public static string Script(InstantRequest request, InstantFolder folder, IReadOnlyList<InstantDisk> disks) =>
        "#!/bin/sh\n# Starts the machine. Its disks are in the images beside this file.\nexec "
        + Arguments(request, folder, disks, _ => false).Aggregate(Quote(request.Program), (line, argument) => line + (argument.StartsWith('-') ? " \\\n    " : " ") + Quote(argument)) + "\n";

    private static JsonObject Image(int index, InstantDisk disk, InstantFolder folder, bool isBacked)
    {
        var node = new JsonObject
        {
            ["driver"] = "qcow2",
            ["node-name"] = NodeOf(index),
            ["discard"] = "unmap",
            ["file"] = new JsonObject { ["driver"] = "file", ["filename"] = folder.ImageOf(disk) },
        };
        if (isBacked)
        {
            // As it is now, whatever the image says: its folder may have another name by now.
            node["backing"] = BackingOf(folder.SocketOf(index));
        }

        return node;
    }

    private static JsonObject Device(int index, InstantDisk disk, DiskBus bus, int count)
    {
        var device = new JsonObject
        {
            ["driver"] = bus switch { DiskBus.Virtio => "virtio-blk-pci", DiskBus.Scsi => "scsi-hd", _ => "ide-hd" },
            ["drive"] = IsShownReadOnly(disk, bus) ? NodeOf(index) + "-shown" : NodeOf(index),
            ["id"] = string.Create(CultureInfo.InvariantCulture, $"drive{index}"),

            // A guest that stands still sees no error, and loses nothing.
            ["rerror"] = "stop",
            ["werror"] = "stop",
        };
        if (disk.Serial is { Length: > 0 } serial)
        {
            device["serial"] = serial;
        }

        if (index == 0)
        {
            device["bootindex"] = 0;
        }

        switch (bus)
        {
            case DiskBus.Virtio when count > MostSlots:
                device["addr"] = string.Create(CultureInfo.InvariantCulture, $"{FirstSlot + (index / SlotFunctions):x}.{index % SlotFunctions:x}");
                device["multifunction"] = true;
                break;
            case DiskBus.Scsi:
                device["bus"] = "scsi.0";
                break;
            case DiskBus.Sata:
                device["bus"] = string.Create(CultureInfo.InvariantCulture, $"sata{index / SataPorts}.{index % SataPorts}");
                break;
        }

        return device;
    }

    // QEMU has no SATA disks that cannot be written.
    private static bool IsShownReadOnly(InstantDisk disk, DiskBus bus) => disk.IsReadOnly && bus != DiskBus.Sata;

    private static bool IsScreen(string option) => NameOf(option) is "display" or "vnc" or "spice";

    private static string NameOf(string option) => option.TrimStart(' ', '-').Split(' ')[0];

    // In a list of an option's values a comma is written twice.
    private static string Escape(string text) => text.Replace(",", ",,", StringComparison.Ordinal);

    private static string Quote(string text) => text.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./=,:".Contains(letter, StringComparison.Ordinal)) && text.Length > 0
        ? text
        : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
