using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>
/// IVssBackupComponents (665c1d5f-c218-414d-a05d-7fef5f9d5c86), called by its table of methods. Their order is that of their declaration in vsbackup.h of the
/// Windows SDK; restic (internal/fs/vss_windows.go) and others have it written down as well. The first three are IUnknown's.
/// </summary>
/// <param name="self">The interface, whose reference becomes this object's.</param>
/// <param name="freeProperties">Frees the texts of a VSS_SNAPSHOT_PROP: VssFreeSnapshotPropertiesInternal.</param>
internal sealed unsafe class VssRequester(nint self, Action<nint> freeProperties) : IVssRequester
{
    internal const int ReleaseSlot = 2;
    internal const int InitializeForBackupSlot = 5;
    internal const int SetBackupStateSlot = 6;
    internal const int GatherWriterMetadataSlot = 9;
    internal const int FreeWriterMetadataSlot = 12;
    internal const int PrepareForBackupSlot = 14;
    internal const int AbortBackupSlot = 15;
    internal const int GatherWriterStatusSlot = 16;
    internal const int GetWriterStatusCountSlot = 17;
    internal const int FreeWriterStatusSlot = 18;
    internal const int GetWriterStatusSlot = 19;
    internal const int BackupCompleteSlot = 27;
    internal const int SetContextSlot = 35;
    internal const int StartSnapshotSetSlot = 36;
    internal const int AddToSnapshotSetSlot = 37;
    internal const int DoSnapshotSetSlot = 38;
    internal const int DeleteSnapshotsSlot = 39;
    internal const int GetSnapshotPropertiesSlot = 42;
    internal const int IsVolumeSupportedSlot = 44;

    // VSS_OBJECT_SNAPSHOT_SET.
    private const int SnapshotSet = 2;

    private bool _isReleased;

    /// <inheritdoc/>
    public int InitializeForBackup() => ((delegate* unmanaged[Stdcall, MemberFunction]<nint, nint, int>)At(InitializeForBackupSlot))(self, 0);

    /// <inheritdoc/>
    public int SetContext(int context) => ((delegate* unmanaged[Stdcall, MemberFunction]<nint, int, int>)At(SetContextSlot))(self, context);

    /// <inheritdoc/>
    public int SetBackupState(int type) =>
        ((delegate* unmanaged[Stdcall, MemberFunction]<nint, byte, byte, int, byte, int>)At(SetBackupStateSlot))(self, 0, 0, type, 0);

    /// <inheritdoc/>
    public int Begin(VssStep step, out IVssOperation? operation)
    {
        nint begun = 0;
        int result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, nint*, int>)At(SlotOf(step)))(self, &begun);
        operation = begun == 0 ? null : new VssOperation(begun);
        return result;
    }

    /// <inheritdoc/>
    public int FreeWriterMetadata() => ((delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)At(FreeWriterMetadataSlot))(self);

    /// <inheritdoc/>
    public int StartSnapshotSet(out Guid set)
    {
        Guid begun = Guid.Empty;
        int result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid*, int>)At(StartSnapshotSetSlot))(self, &begun);
        set = begun;
        return result;
    }

    /// <inheritdoc/>
    public int IsVolumeSupported(string volume, out bool isSupported)
    {
        int told = 0;
        fixed (char* name = volume)
        {
            int result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid, char*, int*, int>)At(IsVolumeSupportedSlot))(self, Guid.Empty, name, &told);
            isSupported = told != 0;
            return result;
        }
    }

    /// <inheritdoc/>
    public int AddToSnapshotSet(string volume, out Guid snapshot)
    {
        Guid added = Guid.Empty;
        fixed (char* name = volume)
        {
            int result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, char*, Guid, Guid*, int>)At(AddToSnapshotSetSlot))(self, name, Guid.Empty, &added);
            snapshot = added;
            return result;
        }
    }

    /// <inheritdoc/>
    public int ReadWriters(out IReadOnlyList<VssWriter> writers)
    {
        var found = new List<VssWriter>();
        writers = found;
        uint count = 0;
        int result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, uint*, int>)At(GetWriterStatusCountSlot))(self, &count);
        for (uint i = 0; result >= 0 && i < count; i++)
        {
            Guid instance, writer;
            nint name = 0;
            int state = 0;
            int failure = 0;
            result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, uint, Guid*, Guid*, nint*, int*, int*, int>)At(GetWriterStatusSlot))(
                self, i, &instance, &writer, &name, &state, &failure);
            if (result >= 0)
            {
                found.Add(new VssWriter(name == 0 ? writer.ToString("B") : Marshal.PtrToStringBSTR(name), state, failure));
            }

            Marshal.FreeBSTR(name);
        }

        int freed = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)At(FreeWriterStatusSlot))(self);
        return result < 0 ? result : freed;
    }

    /// <inheritdoc/>
    public int ReadDevice(Guid snapshot, out string device)
    {
        SnapshotProperties properties = default;
        int result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid, SnapshotProperties*, int>)At(GetSnapshotPropertiesSlot))(self, snapshot, &properties);
        device = result >= 0 && properties.Device is not null ? new string(properties.Device) : "";
        if (result >= 0)
        {
            freeProperties((nint)(&properties));
        }

        return result;
    }

    /// <inheritdoc/>
    public int DeleteSnapshots(Guid set)
    {
        int deleted = 0;
        Guid left;
        return ((delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid, int, int, int*, Guid*, int>)At(DeleteSnapshotsSlot))(self, set, SnapshotSet, 1, &deleted, &left);
    }

    /// <inheritdoc/>
    public int AbortBackup() => ((delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)At(AbortBackupSlot))(self);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isReleased)
        {
            _isReleased = true;
            _ = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, uint>)At(ReleaseSlot))(self);
        }
    }

    private static int SlotOf(VssStep step) => step switch
    {
        VssStep.GatherWriterMetadata => GatherWriterMetadataSlot,
        VssStep.PrepareForBackup => PrepareForBackupSlot,
        VssStep.DoSnapshotSet => DoSnapshotSetSlot,
        VssStep.GatherWriterStatus => GatherWriterStatusSlot,
        VssStep.BackupComplete => BackupCompleteSlot,
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    private void* At(int slot) => (*(void***)self)[slot];

    /// <summary>VSS_SNAPSHOT_PROP of vss.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SnapshotProperties
    {
        public Guid Id;
        public Guid Set;
        public int Count;
        public char* Device;
        public char* Volume;
        public char* OriginatingMachine;
        public char* ServiceMachine;
        public char* ExposedName;
        public char* ExposedPath;
        public Guid Provider;
        public int Attributes;
        public long Created;
        public int Status;
    }
}
