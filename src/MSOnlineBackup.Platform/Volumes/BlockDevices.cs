namespace MSOnlineBackup.Platform.Volumes;

/// <summary>What the kernel tells of its block devices, in /sys.</summary>
/// <param name="root">Where /sys and /dev are found: "/".</param>
internal sealed class BlockDevices(string root)
{
    private const int MaxDepth = 16;

    /// <summary>A device by its numbers, as "8:1"; null where there is no such device.</summary>
    public BlockDevice? FindByNumber(string numbers) => Find(Path.Combine(root, "sys/dev/block", numbers));

    /// <summary>A device by its path, as "/dev/mapper/data"; null where there is no such device.</summary>
    public BlockDevice? FindByPath(string path) =>
        path.StartsWith("/dev/", StringComparison.Ordinal) && NameOf(path) is { } name ? Find(Path.Combine(root, "sys/class/block", name)) : null;

    /// <summary>The name of what a path in /dev leads to, as "sda1"; null where nothing is there.</summary>
    public string? NameOf(string path)
    {
        string place = Path.Combine(root, path.TrimStart('/'));
        if (!File.Exists(place))
        {
            return null;
        }

        FileSystemInfo? target = File.ResolveLinkTarget(place, returnFinalTarget: true);
        return target is null ? Path.GetFileName(path) : target.Name;
    }

    private static BlockDevice? Find(string link)
    {
        if (!Directory.Exists(link))
        {
            // File systems without a disk of their own.
            return null;
        }

        string place = Directory.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName ?? link;
        var names = new List<string>();
        var models = new List<string>();
        bool removable = false;
        Add(place, 0);
        return new BlockDevice(names, models, removable);

        void Add(string device, int depth)
        {
            string name = Path.GetFileName(device);
            if (names.Contains(name) || depth > MaxDepth)
            {
                return;
            }

            names.Add(name);
            removable |= IsOne(device, "removable") || Text(device, "device/type") == "SD";
            if (Text(device, "device/model") is { Length: > 0 } model)
            {
                models.Add(model);
            }

            // A partition's folder lies in its disk's, which alone has these.
            if (!File.Exists(Path.Combine(device, "removable")) && Path.GetDirectoryName(device) is { } above && File.Exists(Path.Combine(above, "removable")))
            {
                Add(above, depth + 1);
            }

            string slaves = Path.Combine(device, "slaves");
            foreach (string slave in Directory.Exists(slaves) ? Directory.EnumerateFileSystemEntries(slaves) : [])
            {
                Add(Directory.ResolveLinkTarget(slave, returnFinalTarget: true)?.FullName ?? slave, depth + 1);
            }
        }
    }

    private static bool IsOne(string device, string file) => Text(device, file) == "1";

    private static string? Text(string device, string file)
    {
        string path = Path.Combine(device, file);
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The device went meanwhile, or does not tell everybody.
            return null;
        }
    }
}

/// <summary>A block device, with what it lies on.</summary>
/// <param name="Names">Its name, then those of what it lies on.</param>
/// <param name="Models">What the disks call themselves.</param>
/// <param name="IsRemovable">Whether one of them can be taken out.</param>
internal sealed record BlockDevice(IReadOnlyList<string> Names, IReadOnlyList<string> Models, bool IsRemovable);
