using System.Buffers.Binary;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Sources.Windows;

/// <summary>The item that a walk is at.</summary>
/// <param name="folder">The open folder that holds it.</param>
/// <param name="name">Its name there; empty for the folder itself.</param>
/// <param name="record">What the listing told.</param>
/// <param name="path">Its path below the root.</param>
/// <param name="fullPath">Its full path, for messages.</param>
/// <param name="failure">Why it could not be read.</param>
/// <param name="note">What is to be told of it.</param>
internal sealed class WindowsSourceItem(
    SafeFileHandle folder, string name, WindowsRecord record, EntryPath path, string fullPath, BackupException? failure, string? note = null) : SourceItem
{
    /// <summary>An item with a longer stream is reported rather than kept in part.</summary>
    private const int MaxStream = 1 << 20;

    public override ManifestEntry Entry { get; } = record.ToEntry(path);

    public override BackupException? Failure => failure;

    public override string? Note => note;

    public override ManifestEntry ReadDetails()
    {
        using SafeFileHandle handle =
            OpenItem(WindowsNative.ReadAttributes | WindowsNative.ReadControl, record.IsSurrogate ? WindowsNative.ReparsePointItself : 0);
        Check(WindowsNative.Query(handle, record.Name, out WindowsRecord now));
        var attributes = new List<EntryAttribute> { new(AttributeTag.WindowsAttributes, default, Bytes(record.Attributes)) };
        Check(WindowsNative.GetSecurity(handle, out byte[] descriptor));
        attributes.Add(new EntryAttribute(AttributeTag.WindowsSecurityDescriptor, default, descriptor));
        byte[] target = [];
        if (record.IsSurrogate)
        {
            Check(WindowsNative.GetReparse(handle, out byte[] data));
            target = record.IsLink && ReparseData.TargetOf(data) is string text ? WtfName.ToBytes(text) : [];
            if (record.ReparseTag != WindowsRecord.SymbolicLinkTag)
            {
                attributes.Add(new EntryAttribute(AttributeTag.WindowsReparseData, default, data));
            }
        }
        else
        {
            ReadStreams(handle, attributes);
        }

        attributes.Sort(static (a, b) =>
        {
            int order = a.Tag.CompareTo(b.Tag);
            return order != 0 ? order : a.Name.Span.SequenceCompareTo(b.Name.Span);
        });

        // Only the open item tells how many names it has.
        EntryMetadata metadata = (record with { LinkCount = now.LinkCount, Volume = now.Volume, FileId = now.FileId }).ToEntry(path).Metadata;
        return Entry with { Metadata = metadata, Attributes = attributes, LinkTarget = target };
    }

    public override ISourceFile Open()
    {
        if (Entry.Kind != EntryKind.File || record.IsSurrogate)
        {
            throw WindowsSourceError.Replaced(fullPath);
        }

        SafeFileHandle handle = OpenItem(
            WindowsNative.ReadData | WindowsNative.ReadAttributes, WindowsNative.NoDirectory | WindowsNative.Sequential);
        int error = WindowsNative.Query(handle, record.Name, out WindowsRecord now);
        if (error != 0 || now.IsSurrogate)
        {
            handle.Dispose();
            throw error != 0 ? WindowsSourceError.OfItem(error, fullPath) : WindowsSourceError.Replaced(fullPath);
        }

        return new WindowsSourceFile(handle, now, path, fullPath);
    }

    private static byte[] Bytes(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private void ReadStreams(SafeFileHandle handle, List<EntryAttribute> attributes)
    {
        Check(WindowsNative.ListStreams(handle, out List<StreamRecord> streams));
        foreach (StreamRecord stream in streams)
        {
            if (stream.Size > MaxStream)
            {
                throw new BackupException(
                    BackupErrorId.SourceItemUnreadable,
                    $"'{fullPath}' could not be read in full: its alternate stream '{stream.Name}' has {stream.Size} bytes, "
                        + $"and the most that a backup keeps is {MaxStream}.",
                    "Copy the stream into a separate file and remove it, or exclude the item.",
                    fullPath);
            }

            Check(WindowsNative.Open(
                folder, $"{name}:{stream.Name}", WindowsNative.ReadData, WindowsNative.OpenExisting, 0, out SafeFileHandle opened));
            using (opened)
            {
                byte[] content = new byte[stream.Size];
                int length = RandomAccess.Read(opened, content, 0);
                attributes.Add(new EntryAttribute(AttributeTag.NamedStream, WtfName.ToBytes(stream.Name), content.AsMemory(0, length)));
            }
        }
    }

    private SafeFileHandle OpenItem(uint access, uint options)
    {
        if (failure is not null && record.IsPlaceholder)
        {
            throw failure;
        }

        // A link that took the place of a file is opened as itself, and then found to be one.
        if (!record.IsSurrogate && (record.Attributes & WindowsRecord.ReparseAttribute) == 0)
        {
            options |= WindowsNative.ReparsePointItself;
        }

        Check(WindowsNative.Open(folder, name, access, WindowsNative.OpenExisting, options, out SafeFileHandle handle));
        return handle;
    }

    private void Check(int error)
    {
        if (error != 0)
        {
            throw WindowsSourceError.OfItem(error, fullPath);
        }
    }
}
