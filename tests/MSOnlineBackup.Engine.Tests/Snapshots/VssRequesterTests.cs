using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Windows;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>
/// The calls of IVssBackupComponents against an object whose table of methods is laid out as the interface is declared: which method is called, with what, and
/// what is made of its answer. Not the service itself, which only Windows has.
/// </summary>
public sealed unsafe class VssRequesterTests
{
    // The methods as vsbackup.h of the Windows SDK declares them, after IUnknown's; restic's internal/fs/vss_windows.go has the same order.
    private static readonly string[] _declared =
    [
        "QueryInterface", "AddRef", "Release",
        "GetWriterComponentsCount", "GetWriterComponents", "InitializeForBackup", "SetBackupState", "InitializeForRestore", "SetRestoreState",
        "GatherWriterMetadata", "GetWriterMetadataCount", "GetWriterMetadata", "FreeWriterMetadata", "AddComponent", "PrepareForBackup", "AbortBackup",
        "GatherWriterStatus", "GetWriterStatusCount", "FreeWriterStatus", "GetWriterStatus", "SetBackupSucceeded", "SetBackupOptions",
        "SetSelectedForRestore", "SetRestoreOptions", "SetAdditionalRestores", "SetPreviousBackupStamp", "SaveAsXML", "BackupComplete",
        "AddAlternativeLocationMapping", "AddRestoreSubcomponent", "SetFileRestoreStatus", "AddNewTarget", "SetRangesFilePath", "PreRestore",
        "PostRestore", "SetContext", "StartSnapshotSet", "AddToSnapshotSet", "DoSnapshotSet", "DeleteSnapshots", "ImportSnapshots",
        "BreakSnapshotSet", "GetSnapshotProperties", "Query", "IsVolumeSupported", "DisableWriterClasses", "EnableWriterClasses",
        "DisableWriterInstances", "ExposeSnapshot", "RevertToSnapshot", "QueryRevertStatus",
    ];

    // IVssAsync of vss.h.
    private static readonly string[] _declaredOperation = ["QueryInterface", "AddRef", "Release", "Cancel", "Wait", "QueryStatus"];

    private static readonly Guid _set = new("11111111-2222-3333-4444-555555555555");
    private static readonly Guid _snapshot = new("66666666-7777-8888-9999-aaaaaaaaaaaa");

    [ThreadStatic]
    private static List<string>? _calls;

    [ThreadStatic]
    private static nint _operation;

    [Fact]
    public void Each_call_goes_to_its_method_with_what_it_takes()
    {
        using var table = new Table();
        _calls = [];
        int freed = 0;
        using (var requester = new VssRequester(table.Requester, properties => freed += properties != 0 ? 1 : 0))
        {
            Assert.Equal(0, requester.InitializeForBackup());
            Assert.Equal(0, requester.SetContext(0));
            Assert.Equal(0, requester.SetBackupState(5));
            Assert.Equal(0, requester.FreeWriterMetadata());
            Assert.Equal(0, requester.StartSnapshotSet(out Guid set));
            Assert.Equal(_set, set);
            Assert.Equal(0, requester.IsVolumeSupported(@"\\?\Volume{c}\", out bool isSupported));
            Assert.True(isSupported);
            Assert.Equal(0, requester.AddToSnapshotSet(@"\\?\Volume{c}\", out Guid snapshot));
            Assert.Equal(_snapshot, snapshot);
            Assert.Equal(0, requester.ReadWriters(out IReadOnlyList<VssWriter> writers));
            Assert.Equal([new VssWriter("Writer 0", 5, 0), new VssWriter("Writer 1", 9, VssResult.WriterTimedOut)], writers);
            Assert.Equal([false, true], writers.Select(writer => writer.HasFailed));
            Assert.Equal(0, requester.ReadDevice(_snapshot, out string device));
            Assert.Equal((@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7", 1), (device, freed));
            Assert.Equal(VssResult.NotFound, requester.DeleteSnapshots(_set));
            Assert.Equal(0, requester.AbortBackup());
        }

        Assert.Equal(
            [
                "InitializeForBackup 0", "SetContext 0", "SetBackupState 0 0 5 0", "FreeWriterMetadata", "StartSnapshotSet",
                @"IsVolumeSupported 00000000-0000-0000-0000-000000000000 \\?\Volume{c}\", @"AddToSnapshotSet \\?\Volume{c}\ 00000000-0000-0000-0000-000000000000",
                "GetWriterStatusCount", "GetWriterStatus 0", "GetWriterStatus 1", "FreeWriterStatus", $"GetSnapshotProperties {_snapshot}",
                $"DeleteSnapshots {_set} 2 1", "AbortBackup", "Release",
            ],
            _calls);
    }

    [Fact]
    public void What_takes_time_is_begun_asked_about_cancelled_and_released()
    {
        using var table = new Table();
        _calls = [];
        using (var requester = new VssRequester(table.Requester, _ => { }))
        {
            foreach (VssStep step in Enum.GetValues<VssStep>())
            {
                _operation = table.Operation;
                Assert.Equal(0, requester.Begin(step, out IVssOperation? operation));
                Assert.Equal(0, operation!.QueryStatus(out int state));
                Assert.Equal(VssResult.Pending, state);
                Assert.Equal(0, operation.Cancel());
                operation.Dispose();
                operation.Dispose();
            }

            _operation = 0;
            Assert.Equal(0, requester.Begin(VssStep.DoSnapshotSet, out IVssOperation? none));
            Assert.Null(none);
        }

        Assert.Equal(
            [.. Enum.GetValues<VssStep>().SelectMany(step => (string[])[step.ToString(), "async QueryStatus", "async Cancel", "async Release"]), "DoSnapshotSet", "Release"],
            _calls);
    }

    private static void Note(string call) => _calls!.Add(call);

    // Two objects of COM: a pointer to a table of methods, each of which says its name; those that are called take what they are declared to take.
    private sealed class Table : IDisposable
    {
        private readonly List<nint> _memory = [];

        public Table()
        {
            Requester = Make(_declared, new Dictionary<string, nint>
            {
                ["Release"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, uint>)&Release,
                ["InitializeForBackup"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, nint, int>)&InitializeForBackup,
                ["SetBackupState"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, byte, byte, int, byte, int>)&SetBackupState,
                ["SetContext"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, int, int>)&SetContext,
                ["GatherWriterMetadata"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, nint*, int>)&GatherWriterMetadata,
                ["FreeWriterMetadata"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)&FreeWriterMetadata,
                ["PrepareForBackup"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, nint*, int>)&PrepareForBackup,
                ["AbortBackup"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)&AbortBackup,
                ["GatherWriterStatus"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, nint*, int>)&GatherWriterStatus,
                ["GetWriterStatusCount"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, uint*, int>)&GetWriterStatusCount,
                ["FreeWriterStatus"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)&FreeWriterStatus,
                ["GetWriterStatus"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, uint, Guid*, Guid*, nint*, int*, int*, int>)&GetWriterStatus,
                ["BackupComplete"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, nint*, int>)&BackupComplete,
                ["StartSnapshotSet"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid*, int>)&StartSnapshotSet,
                ["AddToSnapshotSet"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, char*, Guid, Guid*, int>)&AddToSnapshotSet,
                ["DoSnapshotSet"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, nint*, int>)&DoSnapshotSet,
                ["DeleteSnapshots"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid, int, int, int*, Guid*, int>)&DeleteSnapshots,
                ["GetSnapshotProperties"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid, VssRequester.SnapshotProperties*, int>)&GetSnapshotProperties,
                ["IsVolumeSupported"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, Guid, char*, int*, int>)&IsVolumeSupported,
            });
            Operation = Make(_declaredOperation, new Dictionary<string, nint>
            {
                ["Release"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, uint>)&ReleaseOperation,
                ["Cancel"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)&CancelOperation,
                ["QueryStatus"] = (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, int*, int*, int>)&QueryStatus,
            });
        }

        public nint Requester { get; }

        public nint Operation { get; }

        public void Dispose() => _memory.ForEach(Marshal.FreeHGlobal);

        private nint Make(string[] declared, Dictionary<string, nint> methods)
        {
            nint self = Marshal.AllocHGlobal(sizeof(nint));
            nint table = Marshal.AllocHGlobal(sizeof(nint) * declared.Length);
            _memory.AddRange([self, table]);
            *(nint*)self = table;
            for (int i = 0; i < declared.Length; i++)
            {
                ((nint*)table)[i] = methods.GetValueOrDefault(declared[i], (nint)(delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)&Wrong);
            }

            return self;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int Wrong(nint self)
    {
        Note("wrong method");
        return VssResult.BadState;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static uint Release(nint self)
    {
        Note("Release");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int InitializeForBackup(nint self, nint xml)
    {
        Note($"InitializeForBackup {xml}");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int SetBackupState(nint self, byte components, byte bootable, int type, byte partial)
    {
        Note($"SetBackupState {components} {bootable} {type} {partial}");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int SetContext(nint self, int context)
    {
        Note($"SetContext {context}");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int GatherWriterMetadata(nint self, nint* operation) => Begin(operation, "GatherWriterMetadata");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int PrepareForBackup(nint self, nint* operation) => Begin(operation, "PrepareForBackup");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int GatherWriterStatus(nint self, nint* operation) => Begin(operation, "GatherWriterStatus");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int BackupComplete(nint self, nint* operation) => Begin(operation, "BackupComplete");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int DoSnapshotSet(nint self, nint* operation) => Begin(operation, "DoSnapshotSet");

    private static int Begin(nint* operation, string call)
    {
        Note(call);
        *operation = _operation;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int FreeWriterMetadata(nint self)
    {
        Note("FreeWriterMetadata");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int AbortBackup(nint self)
    {
        Note("AbortBackup");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int GetWriterStatusCount(nint self, uint* count)
    {
        Note("GetWriterStatusCount");
        *count = 2;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int FreeWriterStatus(nint self)
    {
        Note("FreeWriterStatus");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int GetWriterStatus(nint self, uint index, Guid* instance, Guid* writer, nint* name, int* state, int* failure)
    {
        Note($"GetWriterStatus {index}");
        (*instance, *writer) = (_set, _snapshot);
        *name = Marshal.StringToBSTR($"Writer {index}");
        (*state, *failure) = index == 0 ? (5, 0) : (9, VssResult.WriterTimedOut);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int StartSnapshotSet(nint self, Guid* set)
    {
        Note("StartSnapshotSet");
        *set = _set;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int AddToSnapshotSet(nint self, char* volume, Guid provider, Guid* snapshot)
    {
        Note($"AddToSnapshotSet {new string(volume)} {provider}");
        *snapshot = _snapshot;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int DeleteSnapshots(nint self, Guid id, int kind, int force, int* deleted, Guid* left)
    {
        Note($"DeleteSnapshots {id} {kind} {force}");
        *deleted = 0;
        *left = id;
        return VssResult.NotFound;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int GetSnapshotProperties(nint self, Guid id, VssRequester.SnapshotProperties* properties)
    {
        Note($"GetSnapshotProperties {id}");

        // As vss.h has it: two GUIDs, a LONG, and the device as the first of six texts.
        Assert.Equal(40, (int)((byte*)&properties->Device - (byte*)properties));
        properties->Device = (char*)Device.Text;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int IsVolumeSupported(nint self, Guid provider, char* volume, int* isSupported)
    {
        Note($"IsVolumeSupported {provider} {new string(volume)}");
        *isSupported = 1;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static uint ReleaseOperation(nint self)
    {
        Note("async Release");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int CancelOperation(nint self)
    {
        Note("async Cancel");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall), typeof(CallConvMemberFunction)])]
    private static int QueryStatus(nint self, int* state, int* reserved)
    {
        Note($"async QueryStatus{(reserved is null ? "" : " with what is reserved")}");
        *state = VssResult.Pending;
        return 0;
    }

    private static class Device
    {
        public static readonly nint Text = Marshal.StringToHGlobalUni(@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7");
    }
}
