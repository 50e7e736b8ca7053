using MSOnlineBackup.Platform.Folders;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>Files that only their owner may read (mode 0600), replaced as a whole: after a crash there is the old or the new one.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file in the place of what is there. One writer at a time: the caller holds a lock.</summary>
    /// <exception cref="IOException">It cannot be written; what was there is unchanged.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".new";

        // What a crash left, or somebody put there: never written through.
        File.Delete(temporary);
        try
        {
            using (FileStream file = Open(temporary, FileMode.CreateNew))
            {
                file.Write(content);
                file.Flush();
                Durability.Flush(file.SafeFileHandle);
            }

            Durability.Move(temporary, path, replace: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        Durability.FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Writes a file that was not there.</summary>
    /// <exception cref="IOException">It is there, and unchanged; or it cannot be written, and is not there.</exception>
    public static void Create(string path, ReadOnlySpan<byte> content)
    {
        using (FileStream file = Open(path, FileMode.CreateNew))
        {
            try
            {
                file.Write(content);
                file.Flush();
                Durability.Flush(file.SafeFileHandle);
            }
            catch
            {
                File.Delete(path);
                throw;
            }
        }

        Durability.FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Opens a file that nobody else may open meanwhile.</summary>
    public static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return new FileStream(path, options);
    }
}
