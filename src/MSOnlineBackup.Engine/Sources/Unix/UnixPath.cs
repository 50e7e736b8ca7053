using System.Text;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>From a path as it is typed to an absolute one, as the kernel understands it: <c>link/..</c> is the folder above what the link names.</summary>
internal static class UnixPath
{

    /// <summary>The absolute path, without '.', '..' and a '/' at its end (but for the root of all). Links stay, but for those before a '..'.</summary>
    /// <param name="text">The path. Where nothing is there by that very name, <see cref="EntryName.Unescape"/> tells its bytes.</param>
    /// <exception cref="BackupException">SourceNotFound: it is relative to a working folder that is gone.</exception>
    public static byte[] Resolve(string text)
    {
        byte[] path = Encoding.UTF8.GetBytes(text);
        if (path[0] != (byte)'/')
        {
            path = [.. WorkingFolder(text), (byte)'/', .. path];
        }

        byte[] resolved = Normalize(path);
        return text.Contains(@"\x", StringComparison.Ordinal) && !Exists(resolved) ? Normalize(EntryName.Unescape(Encoding.UTF8.GetString(path))) : resolved;
    }

    private static byte[] Normalize(ReadOnlySpan<byte> path)
    {
        var resolved = new List<byte>(path.Length);
        foreach (Range part in path.Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = path[part];
            if (name.SequenceEqual(".."u8))
            {
                // Above what a link names, not above the link.
                byte[] real = RealPath([.. resolved]) ?? [.. resolved];
                int slash = real.AsSpan().LastIndexOf((byte)'/');
                resolved.Clear();
                resolved.AddRange(real.AsSpan(0, Math.Max(slash, 0)));
            }
            else if (!name.IsEmpty && !name.SequenceEqual("."u8))
            {
                resolved.Add((byte)'/');
                resolved.AddRange(name);
            }
        }

        return resolved.Count == 0 ? "/"u8.ToArray() : [.. resolved];
    }

    private static bool Exists(byte[] path)
    {
        int slash = path.AsSpan().LastIndexOf((byte)'/');
        int folder = UnixSystem.Current.OpenBase(-1, slash == 0 ? "/"u8 : path.AsSpan(0, slash), followLink: true);
        if (folder < 0)
        {
            return false;
        }

        int result = UnixSystem.Current.Stat(folder, path.Length == 1 ? "."u8 : path.AsSpan(slash + 1), out _);
        UnixSystem.Close(folder);
        return result >= 0;
    }

    private static byte[]? RealPath(byte[] path) => path.Length == 0 ? null : UnixSystem.RealPath(path);

    private static byte[] WorkingFolder(string text) => UnixSystem.WorkingFolder() ?? throw new BackupException(
        BackupErrorId.SourceNotFound,
        $"'{text}' is relative to the current folder, which no longer exists: it was deleted or unmounted.",
        "Change to a folder that exists, or give the full path.",
        text);
}
