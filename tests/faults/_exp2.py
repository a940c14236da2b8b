from tests.faults._exp import *
class L(Q):
    def at_bar(self,n,u):
        if n==3: self.limit(OrderSide.BUY,1000,90.0)
rows=[q(100,M0),q(50,M0+S,'MSFT'),q(100,M0+2*S),q(50,M0+3*S,'MSFT'),q(88,M0+4*S),q(50.01,M0+5*S,'MSFT'),q(50.02,M0+6*S,'MSFT'),q(88.0,M0+7*S)]+[q(88+0.01*k,M0+(8+k)*S) for k in range(6)]
for mode in MODES:
    show('d2 '+mode, drive(mode,L,rows,risk={'max_drawdown_pct':0.1},kind='quotes',symbols=('AAPL','MSFT')))
    show('d3 '+mode, drive(mode,L,rows,risk={'max_drawdown_pct':0.1},venue={'latency_ms':1000,'speed':1} if mode=='xlive' else {},kind='quotes',symbols=('AAPL','MSFT')))
import risk.prices as rp
orig=rp.Prices._read
def r(self,needed):
    try: print('   read',(self._pulse.now-M0)/S,self._book.equity(), needed,[ (h.instrument.instrument,h.instrument.mark) for h in self._book.held()], self._suspects)
    except LookupError as e: print(e)
    return orig(self,needed)
rp.Prices._read=r
ot=rp.Prices._take
def t(self,watch,update,needed):
    print('   take',update, watch and (watch.held,watch.low,watch.high,self._pulse.wake_at))
    return ot(self,watch,update,needed)
rp.Prices._take=t
show('dbg', drive('live',L,rows,risk={'max_drawdown_pct':0.1},kind='quotes',symbols=('AAPL','MSFT')))
