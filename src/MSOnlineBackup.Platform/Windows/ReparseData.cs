using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>REPARSE_DATA_BUFFER of symbolic links and junctions.</summary>
internal static class ReparseData
{
    /// <summary>The longest that Windows keeps.</summary>
    public const int MaxLength = 16 << 10;

    private const string NativePrefix = @"\??\";
    private const string NativeShare = @"\??\UNC\";

    /// <summary>Where a link or junction leads, as a user would write it; null where the data are something else or damaged.</summary>
    public static string? TargetOf(ReadOnlySpan<byte> data)
    {
        if (data.Length < 16)
        {
            return null;
        }

        uint tag = BinaryPrimitives.ReadUInt32LittleEndian(data);
        int namesAt = tag switch
        {
            WindowsRecord.SymbolicLinkTag => 20,
            WindowsRecord.MountPointTag => 16,
            _ => int.MaxValue,
        };
        int substituteAt = BinaryPrimitives.ReadUInt16LittleEndian(data[8..]);
        int substituteLength = BinaryPrimitives.ReadUInt16LittleEndian(data[10..]);
        if (namesAt > data.Length || namesAt + substituteAt + substituteLength > data.Length)
        {
            return null;
        }

        string target = new(MemoryMarshal.Cast<byte, char>(data.Slice(namesAt + substituteAt, substituteLength)));
        return target.StartsWith(NativeShare, StringComparison.Ordinal) ? @"\" + target[(NativeShare.Length - 1)..]
            : target.StartsWith(NativePrefix, StringComparison.Ordinal) && !IsVolume(target) ? target[NativePrefix.Length..]
            : target;
    }

    /// <summary>Whether a junction's target is the root of a volume: then it is a mount point.</summary>
    public static bool IsVolume(string target) => target.StartsWith(@"\??\Volume{", StringComparison.OrdinalIgnoreCase);

    /// <summary>The data of a symbolic link.</summary>
    public static byte[] ForLink(string target)
    {
        // What begins with a drive or a share is absolute; everything else, "\x" too, is relative.
        bool absolute = target is [_, ':', ..] || target.StartsWith(@"\\", StringComparison.Ordinal);
        string native = absolute
            ? target.StartsWith(@"\\", StringComparison.Ordinal) ? NativeShare + target[2..] : NativePrefix + target
            : target;
        byte[] substitute = Encoding.Unicode.GetBytes(native);
        byte[] print = Encoding.Unicode.GetBytes(target);
        byte[] data = new byte[20 + substitute.Length + print.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(data, WindowsRecord.SymbolicLinkTag);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(4), (ushort)(data.Length - 8));
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(8), 0);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(10), (ushort)substitute.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(12), (ushort)substitute.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(14), (ushort)print.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(16), absolute ? 0u : 1u);
        substitute.CopyTo(data.AsSpan(20));
        print.CopyTo(data.AsSpan(20 + substitute.Length));
        return data;
    }
}
