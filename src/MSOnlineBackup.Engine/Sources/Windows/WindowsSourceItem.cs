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
    private IReadOnlyList<SourceStream> _longStreams = [];

    public override ManifestEntry Entry { get; } = record.ToEntry(path);

    public override BackupException? Failure => failure;

    public override string? Note => note;

    public override IReadOnlyList<SourceStream> LongStreams => _longStreams;

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
            Check(WindowsNative.ListStreams(handle, out List<StreamRecord> streams));
            _longStreams = SourceStream.Divide(streams.Select(stream => new SourceStream(WtfName.ToBytes(stream.Name), stream.Size)), OpenStream, attributes);
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

        bool isSparse = (now.Attributes & WindowsRecord.SparseAttribute) != 0;
        return new WindowsSourceFile(handle, now, isSparse, path, fullPath);
    }

    public override ISourceFile OpenStream(SourceStream stream)
    {
        Check(WindowsNative.Open(
            folder,
            $"{name}:{WtfName.FromBytes(stream.Name.Span)}",
            WindowsNative.ReadData | WindowsNative.ReadAttributes,
            WindowsNative.OpenExisting,
            WindowsNative.Sequential,
            out SafeFileHandle handle));
        int error = WindowsNative.Query(handle, record.Name, out WindowsRecord now);
        if (error != 0)
        {
            handle.Dispose();
            Check(error);
        }

        // Whether a stream is sparse, the attributes of its file need not say: it is asked for its holes.
        return new WindowsSourceFile(handle, now, mayHaveHoles: true, path, $"{fullPath}:{stream.ShownName}");
    }

    private static byte[] Bytes(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
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
