namespace MSOnlineBackup.Platform.Windows;

/// <summary>IVssAsync (507C37B4-CF5B-4e95-B0AF-14EB9767467E), called by its table of methods: after IUnknown's three, Cancel, Wait and QueryStatus (vss.h of the Windows SDK).</summary>
/// <param name="self">The interface, whose reference becomes this object's.</param>
internal sealed unsafe class VssOperation(nint self) : IVssOperation
{
    internal const int CancelSlot = 3;
    internal const int QueryStatusSlot = 5;

    private bool _isReleased;

    /// <inheritdoc/>
    public int QueryStatus(out int state)
    {
        int told = 0;
        int result = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, int*, int*, int>)At(QueryStatusSlot))(self, &told, null);
        state = told;
        return result;
    }

    /// <inheritdoc/>
    public int Cancel() => ((delegate* unmanaged[Stdcall, MemberFunction]<nint, int>)At(CancelSlot))(self);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isReleased)
        {
            _isReleased = true;
            _ = ((delegate* unmanaged[Stdcall, MemberFunction]<nint, uint>)At(VssRequester.ReleaseSlot))(self);
        }
    }

    private void* At(int slot) => (*(void***)self)[slot];
}
